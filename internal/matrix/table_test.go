//go:build unix

package matrix

import (
	"flag"
	"os"
	"strings"
	"testing"

	"kafkactl/internal/kafkatest"
)

const (
	begin  = "<!-- matrix:begin -->\n"
	end    = "<!-- matrix:end -->\n"
	readme = "../../README.md"
)

// rewrite asks to rewrite the table instead of comparing it.
var rewrite = flag.Bool("update", false, "rewrite the table in README.md")

// table is the README's, which says of every capability and release what
// TestMatrix proves.
func table(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| | " + strings.Join(releases[:], " | ") + " |\n|---|" + strings.Repeat("---|", len(releases)) + "\n")
	for _, c := range capabilities() {
		b.WriteString("| " + c.name)
		for _, release := range releases {
			v, err := kafkatest.ParseVersion(release)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(" | " + c.cell(v))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// TestReadmeShowsTheMatrix holds the table to what the suite checks.
func TestReadmeShowsTheMatrix(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s has no %s … %s", readme, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	want := table(t)
	if *rewrite {
		if err := os.WriteFile(readme, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the table in %s is not what the suite checks; scripts/matrix --table rewrites it. It should be\n%s", readme, want)
	}
}

// A cell must not promise what is not checked.
func TestEveryCapabilityHasAName(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range capabilities() {
		if c.name == "" || seen[c.name] || strings.ContainsAny(c.name, "|/") {
			t.Errorf("capability %q: no name of its own, or one that breaks the table or a test's name", c.name)
		}
		if seen[c.name] = true; c.works == nil {
			t.Errorf("capability %q: nothing checks it", c.name)
		}
	}
}
