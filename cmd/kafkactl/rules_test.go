package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kafkactl/internal/filter"
	"kafkactl/internal/format"
)

// kfake costs start-up time and size, and is no part of what kafkactl does on a
// real cluster: dev.go alone may import it, and the client it comes with nowhere.
func TestOnlyDevImportsTheEmbeddedBroker(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files++
		for _, imp := range f.Imports {
			name := strings.Trim(imp.Path.Value, `"`)
			isDev := filepath.Base(path) == "dev.go" && filepath.Base(filepath.Dir(path)) == "kafkactl"
			if strings.HasPrefix(name, "github.com/twmb/franz-go") && !(isDev && strings.HasSuffix(name, "/kfake")) {
				t.Errorf("%s imports %s", path, name)
			}
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Fatalf("looked at %d files: %v", files, err)
	}
}

// each visits every command that a user can see.
func each(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			each(c, f)
		}
	}
}

func newTestRoot() *cobra.Command {
	running := false
	return newRoot(newEnv(strings.NewReader(""), discard{}, discard{}), &running)
}

func TestEveryHelpBeginsWithThreeExamples(t *testing.T) {
	each(newTestRoot(), func(cmd *cobra.Command) {
		n := 0
		for line := range strings.Lines(cmd.Example) {
			if strings.Contains(line, "kafkactl ") {
				n++
			}
		}
		if n < 3 {
			t.Errorf("%s: %d examples", cmd.CommandPath(), n)
		}
		text := helpText(cmd, palette{})
		if !strings.HasPrefix(text, "Examples:\n") {
			t.Errorf("%s: help begins %q", cmd.CommandPath(), strings.SplitN(text, "\n", 2)[0])
		}
		for line := range strings.Lines(text) {
			if w := displayWidth(strings.TrimRight(line, "\n")); w > 110 {
				t.Errorf("%s: help is %d columns wide: %s", cmd.CommandPath(), w, line)
			}
		}
		if cmd.HasParent() && cmd.Short == "" {
			t.Errorf("%s: no short description", cmd.CommandPath())
		}
	})
}

// The examples parse: every flag and command in them exists.
func TestExamplesParse(t *testing.T) {
	each(newTestRoot(), func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			checkExample(t, cmd.CommandPath(), line)
		}
	})
}

// The pages of kafkactl help show commands too, indented, or behind a word of the
// shell's.
func TestExamplesOfHelpPagesParse(t *testing.T) {
	for _, name := range pageNames() {
		text, ok := page(name)
		if !ok {
			t.Fatalf("there is no page %s", name)
		}
		found := 0
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "    ") && strings.Contains(line, "kafkactl ") {
				checkExample(t, "help "+name, line)
				found++
			}
		}
		if found < 3 {
			t.Errorf("help %s shows %d commands", name, found)
		}
	}
}

// checkExample parses the kafkactl commands of a shell's line, and of the lines
// quoted in it.
func checkExample(t *testing.T, where, line string) {
	t.Helper()
	for _, words := range shellCommands(line) {
		for _, w := range words {
			if strings.Contains(w, "kafkactl ") {
				checkExample(t, where, w)
			}
		}
		if len(words) < 2 || words[0] != "kafkactl" {
			continue
		}
		if words[1] == "help" { // comes into being when it is asked for
			if _, ok := page(words[len(words)-1]); !ok {
				t.Errorf("%s: %v: there is no such page", where, words)
			}
			continue
		}
		target, flags, err := newTestRoot().Find(words[1:])
		if err != nil {
			t.Errorf("%s: %v: %v", where, words, err)
			continue
		}
		if err := target.ParseFlags(flags); err != nil {
			t.Errorf("%s: %v: %v", where, words, err)
			continue
		}
		if err := target.ValidateArgs(target.Flags().Args()); err != nil {
			t.Errorf("%s: %v: %v", where, words, err)
		}
		checkLanguages(t, where, target.Flags())
	}
}

// checkLanguages compiles what a command's flags say in languages of their own.
func checkLanguages(t *testing.T, where string, flags *pflag.FlagSet) {
	t.Helper()
	value := func(name string) string {
		if f := flags.Lookup(name); f != nil && f.Changed {
			return f.Value.String()
		}
		return ""
	}
	if text := value("format"); text != "" {
		if _, err := format.Compile(text, time.UTC); err != nil {
			t.Errorf("%s: -f '%s': %v", where, text, err)
		}
	}
	for _, name := range []string{"where", "select"} {
		if text := value(name); text != "" {
			if _, err := filter.NewExpr(text); err != nil {
				t.Errorf("%s: --%s '%s': %v", where, name, text, err)
			}
		}
	}
}

// shellCommands splits a line as a shell would: quotes, pipes, lists, comments;
// what follows a redirection is dropped.
func shellCommands(line string) [][]string {
	var all [][]string
	var words []string
	var word strings.Builder
	quote, has := rune(0), false
	flush := func() {
		if has {
			words = append(words, word.String())
		}
		word.Reset()
		has = false
	}
	for _, r := range line + "\n" {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, has = r, true
		case strings.ContainsRune("|&;()\n#<>", r):
			flush()
			if len(words) > 0 {
				all = append(all, words)
			}
			words = nil
			if r == '#' {
				return all
			}
		case r == ' ' || r == '\t':
			flush()
		default:
			word.WriteRune(r)
			has = true
		}
	}
	return all
}

// One short letter means one thing everywhere, but -n: first N and last N.
func TestShortLettersMeanOneThing(t *testing.T) {
	long := map[string]string{}
	each(newTestRoot(), func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand == "" || f.Shorthand == "n" || f.Shorthand == "h" {
				return
			}
			if have, ok := long[f.Shorthand]; ok && have != f.Name {
				t.Errorf("%s: -%s is --%s, elsewhere --%s", cmd.CommandPath(), f.Shorthand, f.Name, have)
			}
			long[f.Shorthand] = f.Name
		})
	})
}

// What other tools' users type from habit is no flag of every command of ours.
func TestForeignFlagsAreNotOurs(t *testing.T) {
	root := newTestRoot()
	for name := range foreignFlags {
		if f := flagOfArg(root, name); f != nil {
			t.Errorf("%s is ours: --%s", name, f.Name)
		}
	}
	for _, name := range []string{"-C", "-P", "-G", "-L", "-Q", "-t", "-c", "-e", "-u", "-o", "--topic",
		"--from-beginning", "--bootstrap-server", "--max-messages", "--partition", "--property"} {
		if foreignFlags[name] == "" {
			t.Errorf("%s has no hint", name)
		}
	}
}
