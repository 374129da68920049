// Command rows compares testdata/rows.txt with the tests that ran: each named
// there has to stand in the second file, which has a line "PACKAGE TEST" for each
// that passed. It exits 1 and names the rows where one does not.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: rows ROWS PASSED")
		os.Exit(2)
	}
	passed := map[string]bool{}
	err := eachLine(os.Args[2], func(line string) {
		if _, test, ok := strings.Cut(line, " "); ok {
			passed[test] = true
		}
	})
	rows, tests, missing := 0, 0, 0
	if err == nil {
		err = eachLine(os.Args[1], func(line string) {
			line, _, _ = strings.Cut(line, "#")
			words := strings.Fields(line)
			if len(words) == 0 {
				return
			}
			rows++
			for _, name := range words[1:] {
				tests++
				test := name
				if script, ok := strings.CutPrefix(name, "script:"); ok {
					test = "TestScripts/" + script
				}
				if !passed[test] {
					missing++
					fmt.Printf("FAIL  %s: %s did not run and pass\n", words[0], name)
				}
			}
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rows:", err)
		os.Exit(2)
	}
	fmt.Printf("%d rows, %d tests, %d missing\n", rows, tests, missing)
	if missing > 0 || rows == 0 {
		os.Exit(1)
	}
}

func eachLine(name string, do func(line string)) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		do(in.Text())
	}
	return in.Err()
}
