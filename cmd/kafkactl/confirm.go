package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errNotConfirmed is a question that was not answered with yes.
var errNotConfirmed = errors.New("not confirmed: nothing was changed")

// maxQuestions is how often an answer that is neither yes nor no is asked again.
const maxQuestions = 3

// confirm asks a question that yes or no answers. It can be asked only where
// standard input and standard error are terminals; elsewhere --yes is needed.
// The end of input is no.
func (e *env) confirm(ctx context.Context, question string) error {
	if !isTerminal(e.in) || !isTerminal(e.errOut) {
		return usagef("nothing was changed: there is no terminal to ask on").withHint("--yes does it without a question, --dry-run only shows the plan")
	}
	in := bufio.NewReader(e.in)
	for range maxQuestions {
		e.ask(question + " [y/N] ")
		answer, err := e.readLine(ctx, in)
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		case "n", "no":
			return errNotConfirmed
		}
		switch {
		case ctx.Err() != nil:
			e.ask("\n") // the terminal has shown ^C behind the question
			return &summaryError{msg: "nothing was changed", err: context.Cause(ctx)}
		case errors.Is(err, io.EOF):
			e.ask("\n")
			return errNotConfirmed
		case err != nil:
			return fmt.Errorf("read the answer: %w", err)
		case strings.TrimSpace(answer) == "":
			return errNotConfirmed
		}
		e.ask("Please answer y or n. ")
	}
	e.ask("\n")
	return errNotConfirmed
}

// ask writes where the answer will be typed, whatever -q says.
func (e *env) ask(s string) { _, _ = io.WriteString(e.errOut, printableLines(s)) }

// readLine waits for a line, but no longer than ctx: a read of a terminal cannot
// be called back, so it is left behind.
func (e *env) readLine(ctx context.Context, in *bufio.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := in.ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// question sums the plans up.
func question(revs []*revision) string {
	offs, deleted, groups := 0, 0, []string{}
	for _, r := range revs {
		for _, c := range r.pending() {
			if c.Deletes() {
				deleted++
			} else {
				offs++
			}
		}
		groups = append(groups, r.group)
	}
	of := "group " + groups[0]
	if len(groups) > 1 {
		of = plural(len(groups), "group")
	}
	switch {
	case revs[0].operation == operationDeleteGroup:
		return fmt.Sprintf("Delete %s with %s?", of, plural(deleted, "stored offset"))
	case offs == 0:
		return fmt.Sprintf("Delete %s of %s?", plural(deleted, "stored offset"), of)
	case deleted == 0:
		return fmt.Sprintf("Change %s of %s?", plural(offs, "stored offset"), of)
	}
	return fmt.Sprintf("Change %s and delete %d of %s?", plural(offs, "stored offset"), deleted, of)
}

// The journal's names of operations.
const (
	operationCommit      = "commit"
	operationSeek        = "seek"
	operationUndo        = "undo"
	operationImport      = "import"
	operationCopy        = "copy"
	operationDelete      = "delete"
	operationDeleteGroup = "groups delete"
)
