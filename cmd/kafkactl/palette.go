package main

import (
	"os"
	"strings"

	"github.com/fatih/color"
)

// paint is one colour: what to print before and after. The zero value is none.
type paint struct{ open, close string }

// s paints a string.
func (p paint) s(text string) string {
	if p.open == "" {
		return text
	}
	return p.open + text + p.close
}

// palette names colours by what they mean. The zero value paints nothing.
type palette struct {
	on      bool
	header  paint // column heads, section heads
	dim     paint // what frames the data
	key     paint // record keys
	topic   paint // topic and partition names
	number  paint // offsets and sizes
	good    paint
	warning paint
	failure paint

	tokens [tokenWord + 1]paint // of JSON
	topics []paint              // to tell topics apart by
}

// topicOf is a topic's own colour, the same in every run.
func (p palette) topicOf(name string) paint {
	if len(p.topics) == 0 {
		return paint{}
	}
	h := uint32(2166136261) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return p.topics[h%uint32(len(p.topics))]
}

// newPalette sets each colour explicitly: fatih/color's own global switch is
// guessed from the process's real standard output, which need not be ours.
func newPalette(on bool) palette {
	if !on {
		return palette{}
	}
	mix := func(attrs ...color.Attribute) paint {
		c := color.New(attrs...)
		c.EnableColor()
		open, end, _ := strings.Cut(c.Sprint("\x00"), "\x00")
		return paint{open, end}
	}
	return palette{
		on:      true,
		header:  mix(color.Bold),
		dim:     mix(color.Faint),
		key:     mix(color.FgCyan),
		topic:   mix(color.FgBlue),
		number:  mix(color.FgGreen),
		good:    mix(color.FgGreen),
		warning: mix(color.FgYellow),
		failure: mix(color.FgRed, color.Bold),
		tokens: [...]paint{
			tokenFrame:  {},
			tokenName:   mix(color.FgBlue, color.Bold),
			tokenText:   mix(color.FgGreen),
			tokenNumber: mix(color.FgYellow),
			tokenWord:   mix(color.FgMagenta),
		},
		topics: []paint{
			mix(color.FgBlue), mix(color.FgMagenta), mix(color.FgCyan), mix(color.FgYellow), mix(color.FgGreen),
			mix(color.FgHiBlue), mix(color.FgHiMagenta), mix(color.FgHiCyan), mix(color.FgHiYellow), mix(color.FgHiGreen),
		},
	}
}

// setColors applies --color.
func (e *env) setColors(mode string) {
	e.pal = newPalette(wantColor(mode, e.out, os.Getenv))
	e.errPal = newPalette(wantColor(mode, e.errOut, os.Getenv))
}

// wantColor decides for one stream. NO_COLOR counts when it is not empty
// (https://no-color.org); --color always and never win over it.
func wantColor(mode string, stream any, getenv func(string) string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && isTerminal(stream)
}

// steerable says that a terminal of that kind understands where to put the cursor.
func steerable(kind string) bool { return kind != "" && kind != "dumb" }
