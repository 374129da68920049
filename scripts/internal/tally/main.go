// Command tally reads `go test -json` on standard input, shows what a person
// wants to see of it (failures whole, skips with their reason, one line a
// package), and appends "passed failed skipped" to the file it is given, and
// "PACKAGE TEST" for each that passed to a second file if one is named. Lines
// that begin with "matrix: " are a test's own account and are shown as they are.
// It exits 1 when anything failed, or when nothing was tested at all.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go test -json … | tally FILE [PASSED]")
		os.Exit(2)
	}
	var t tally
	t.output = map[string][]string{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			fmt.Println(in.Text()) // not a test's: the go command's own complaint
			continue
		}
		t.take(e)
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	err := appendTo(os.Args[1], fmt.Sprintln(len(t.passed), t.failed, t.skipped))
	if err == nil && len(os.Args) == 3 {
		err = appendTo(os.Args[2], strings.Join(t.passed, ""))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	if t.failed > 0 || len(t.passed) == 0 {
		os.Exit(1)
	}
}

type tally struct {
	passed          []string // "PACKAGE TEST\n" each
	failed, skipped int
	output          map[string][]string // by package and test
}

func (t *tally) take(e event) {
	if e.Package == "" {
		e.Package = e.ImportPath
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		if _, said, ok := strings.Cut(e.Output, "matrix: "); ok {
			fmt.Print("      ", said)
			return
		}
		if !strings.HasPrefix(e.Output, "=== ") && !strings.HasPrefix(strings.TrimSpace(e.Output), "--- SKIP") {
			t.output[key] = append(t.output[key], e.Output)
		}
		return
	case "pass":
		if e.Test == "" {
			fmt.Printf("ok    %s (%.1fs)\n", e.Package, e.Elapsed)
		} else {
			t.passed = append(t.passed, key+"\n")
		}
	case "skip":
		if e.Test != "" {
			t.skipped++
			fmt.Printf("skip  %s: %s\n", key, last(t.output[key]))
		}
	case "fail", "build-fail":
		// A package fails with its tests; it counts itself only when it broke
		// outside of any, as in a build error or a panic.
		if e.Test != "" || t.failed == 0 {
			t.failed++
		}
		fmt.Printf("FAIL  %s\n%s", key, strings.Join(t.output[key], ""))
	default:
		return
	}
	delete(t.output, key)
}

// last is the last thing a test said, which for one that was skipped is why.
func last(output []string) string {
	for i := len(output) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(output[i]); line != "" {
			return line
		}
	}
	return "no reason given"
}

func appendTo(name, text string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}
