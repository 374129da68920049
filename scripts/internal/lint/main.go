// Command lint holds the rules of the house that no general tool knows: which
// room may import which, where a few libraries may appear, that exported names
// are documented, and that files and functions stay of a size one can read.
// It reads every Go file below the current directory, whatever its build tags.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxFileLines = 400
	maxFuncLines = 80
)

func main() {
	l := &linter{set: token.NewFileSet(), documented: map[string]bool{}, seen: map[string]token.Pos{}}
	if err := l.walk("."); err != nil {
		fmt.Fprintln(os.Stderr, "lint:", err)
		os.Exit(2)
	}
	l.packages()
	slices.Sort(l.found)
	for _, f := range l.found {
		fmt.Println(f)
	}
	if len(l.found) > 0 {
		os.Exit(1)
	}
}

type linter struct {
	set        *token.FileSet
	found      []string
	documented map[string]bool      // directories with a package comment
	seen       map[string]token.Pos // directories with a file that is no test
}

func (l *linter) complain(at token.Pos, format string, args ...any) {
	p := l.set.Position(at)
	l.found = append(l.found, fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...)))
}

func (l *linter) walk(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(l.set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		l.file(filepath.ToSlash(name), file)
		return nil
	})
}

func (l *linter) file(name string, f *ast.File) {
	dir, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
	l.imports(name, dir, test, f)
	if test {
		return
	}
	l.seen[dir] = f.Package
	if f.Doc != nil {
		l.documented[dir] = true
	}
	if lines := l.set.File(f.Package).LineCount(); lines > maxFileLines {
		l.complain(f.Package, "the file has %d lines, more than %d: split it", lines, maxFileLines)
	}
	for _, decl := range f.Decls {
		l.decl(dir, decl)
	}
	l.words(f)
}

func (l *linter) decl(dir string, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		length := l.set.Position(d.End()).Line - l.set.Position(d.Pos()).Line + 1
		if length > maxFuncLines {
			l.complain(d.Pos(), "%s has %d lines, more than %d", d.Name.Name, length, maxFuncLines)
		}
		if d.Recv == nil && d.Name.Name == "init" {
			l.complain(d.Pos(), "no init functions: tables are built where they are used")
		}
		if d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d.Recv)) {
			l.doc(d.Pos(), d.Name.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					l.doc(s.Pos(), s.Name.Name, s.Doc, d.Doc)
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						l.complain(s.Pos(), "exported %s has no comment", name.Name)
					}
				}
			}
		}
	}
}

// doc wants one of the comments to be there and the first to begin with name.
func (l *linter) doc(at token.Pos, name string, comments ...*ast.CommentGroup) {
	for _, c := range comments {
		if c == nil {
			continue
		}
		words := strings.Fields(c.Text())
		if len(words) > 1 && slices.Contains([]string{"A", "An", "The"}, words[0]) {
			words = words[1:]
		}
		if len(words) == 0 || !strings.HasPrefix(words[0], name) {
			l.complain(at, "the comment of %s does not begin with its name", name)
		}
		return
	}
	l.complain(at, "exported %s has no comment", name)
}

func exportedReceiver(recv *ast.FieldList) bool {
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// words looks for what should not have been left behind.
func (l *linter) words(f *ast.File) {
	for _, group := range f.Comments {
		for _, c := range group.List {
			for _, word := range []string{"TO" + "DO", "FIX" + "ME"} {
				if strings.Contains(c.Text, word) {
					l.complain(c.Pos(), "%s left behind", word)
				}
			}
		}
	}
}

// packages wants every package to say what it is for.
func (l *linter) packages() {
	for dir, at := range l.seen {
		if !l.documented[dir] {
			l.complain(at, "package %s has no package comment", dir)
		}
	}
}
