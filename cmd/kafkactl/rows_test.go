package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const rowsFile = "../../testdata/rows.txt"

var (
	goTest  = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	rowName = regexp.MustCompile(`^(?:TestS|script:.*_s)(\d\d)(?:[A-Z_]|$)`)
)

// behaviourRows reads rows.txt: a row's name, then its tests.
func behaviourRows(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(rowsFile)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if _, twice := rows[words[0]]; twice {
			t.Errorf("%s stands twice", words[0])
		}
		rows[words[0]] = words[1:]
	}
	return rows
}

// testsThere lists the tests of the whole tree as rows.txt names them.
func testsThere(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2:
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			src, err := os.ReadFile(path)
			for _, m := range goTest.FindAllSubmatch(src, -1) {
				names = append(names, string(m[1]))
			}
			return err
		case strings.HasSuffix(path, ".txtar") && filepath.Base(filepath.Dir(path)) == "script":
			names = append(names, "script:"+strings.TrimSuffix(d.Name(), ".txtar"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Each row of the behaviour to be carried over has tests that bear its number,
// and testdata/rows.txt says which. CI compares the same file with what ran.
func TestEveryBehaviourRowHasItsTests(t *testing.T) {
	rows, there := behaviourRows(t), testsThere(t)
	for n := 1; n <= 38; n++ {
		row := fmt.Sprintf("S%02d", n)
		for _, name := range rows[row] {
			if !slices.Contains(there, name) {
				t.Errorf("%s: there is no %s", row, name)
			}
			if m := rowName.FindStringSubmatch(name); m == nil || "S"+m[1] != row {
				t.Errorf("%s: %s does not bear its number", row, name)
			}
		}
		if len(rows[row]) == 0 {
			t.Errorf("%s has no test", row)
		}
		delete(rows, row)
	}
	for row := range rows {
		t.Errorf("there is no row %s", row)
	}
	rows = behaviourRows(t)
	for _, name := range there {
		if m := rowName.FindStringSubmatch(name); m != nil && !slices.Contains(rows["S"+m[1]], name) {
			t.Errorf("%s is missing from row S%s of testdata/rows.txt", name, m[1])
		}
	}
}
