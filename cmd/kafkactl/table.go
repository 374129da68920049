package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// listing is how a command lists things: aligned for a terminal, tabs for a
// pipe, one JSON document for programs.
type listing struct {
	mode string // table, tsv, json; "" lets the stream decide
	json bool
}

// addListingFlags gives a listing command -o and -J.
func addListingFlags(cmd *cobra.Command, l *listing) {
	cmd.Flags().VarP(choice(&l.mode, "table", "tsv", "json"), "output", "o", "how to list; a terminal gets a table, a pipe tsv")
	cmd.Flags().BoolVarP(&l.json, "json", "J", false, "the same as -o json")
}

// check refuses -J beside another -o.
func (l *listing) check() error {
	if l.json && l.mode != "" && l.mode != "json" {
		return usagef("-J and -o %s exclude each other", l.mode)
	}
	return nil
}

// kind is table, tsv or json.
func (l *listing) kind(e *env) string {
	switch {
	case l.json:
		return "json"
	case l.mode != "":
		return l.mode
	case isTerminal(e.out):
		return "table"
	}
	return "tsv"
}

// writeJSON prints one document, indented on a terminal and on one line in a
// pipe, without HTML escaping.
func (e *env) writeJSON(doc any) error { return e.encodeJSON(isTerminal(e.out), doc) }

// writeJSONLine prints one of many documents, on a line of its own also on a
// terminal.
func (e *env) writeJSONLine(doc any) error { return e.encodeJSON(false, doc) }

func (e *env) encodeJSON(indented bool, docs ...any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if indented {
		enc.SetIndent("", "  ")
	}
	for _, doc := range docs {
		if err := enc.Encode(doc); err != nil {
			return err
		}
	}
	if !isTerminal(e.out) {
		_, err := e.out.Write(b.Bytes())
		return err
	}
	// The encoder leaves DEL, C1 and the controls of text direction as they are,
	// and names of groups, hosts and metadata are anybody's.
	var shown []byte
	for line := range bytes.Lines(b.Bytes()) {
		shown = append(appendVisibleJSON(shown, bytes.TrimSuffix(line, []byte("\n"))), '\n')
	}
	_, err := e.out.Write(shown)
	return err
}

// table is rows under heads. Cells hold plain text; colours belong to columns,
// so that widths are those of the text.
type table struct {
	columns []column
	rows    [][]string
	totals  []string // nil: none
}

type column struct {
	name  string
	right bool
	paint paint
}

// newTable names the columns; one that begins with ">" is aligned right.
func newTable(names ...string) *table {
	t := &table{}
	for _, name := range names {
		plain, right := strings.CutPrefix(name, ">")
		t.columns = append(t.columns, column{name: plain, right: right})
	}
	return t
}

// paint colours a column.
func (t *table) paint(name string, p paint) {
	for i := range t.columns {
		if t.columns[i].name == name {
			t.columns[i].paint = p
		}
	}
}

// row adds one. Cells missing at its end are empty; a pipe does not get them.
func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// appendTSV is the table as a pipe gets it: no heads, no totals, nothing cut.
// A tab or a newline in a cell is escaped, or it would move the columns.
func (t *table) appendTSV(b []byte) []byte {
	for _, row := range t.rows {
		for i, cell := range row {
			if i > 0 {
				b = append(b, '\t')
			}
			b = append(b, tsvEscape.Replace(cell)...)
		}
		b = append(b, '\n')
	}
	return b
}

var tsvEscape = strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`)

// appendAligned is the table as a terminal of width columns gets it; 0 cuts
// nothing.
func (t *table) appendAligned(b []byte, pal palette, columns int) []byte {
	t = t.withoutEmpty()
	heads := make([]string, len(t.columns))
	for i, c := range t.columns {
		heads[i] = c.name
	}
	wide := t.widths(heads, columns)
	b = t.appendLine(b, wide, heads, func(column) paint { return pal.header })
	for _, row := range t.rows {
		b = t.appendLine(b, wide, row, func(c column) paint { return c.paint })
	}
	if t.totals != nil {
		b = t.appendLine(b, wide, t.totals, func(column) paint { return pal.header })
	}
	return b
}

// withoutEmpty is the table without columns that no row fills.
func (t *table) withoutEmpty() *table {
	used := make([]bool, len(t.columns))
	for _, row := range t.rows {
		for i := range min(len(row), len(used)) {
			used[i] = used[i] || row[i] != ""
		}
	}
	if len(t.rows) == 0 || !slices.Contains(used, false) {
		return t
	}
	pick := func(row []string) []string {
		if row == nil {
			return nil
		}
		kept := []string{}
		for i, cell := range row {
			if i < len(used) && used[i] {
				kept = append(kept, cell)
			}
		}
		return kept
	}
	slim := &table{totals: pick(t.totals)}
	for i, c := range t.columns {
		if used[i] {
			slim.columns = append(slim.columns, c)
		}
	}
	for _, row := range t.rows {
		slim.rows = append(slim.rows, pick(row))
	}
	return slim
}

// gap stands between two columns.
const gap = "  "

// widths gives each column what its cells need, and takes from the widest, one
// that holds text before one that holds numbers, until all fit.
func (t *table) widths(heads []string, columns int) []int {
	wide := make([]int, len(t.columns))
	total := (len(wide) - 1) * len(gap)
	for _, row := range append([][]string{heads, t.totals}, t.rows...) {
		for i := range min(len(row), len(wide)) {
			wide[i] = max(wide[i], displayWidth(printable(row[i])))
		}
	}
	for _, w := range wide {
		total += w
	}
	if columns > 0 {
		// What a column keeps when others need the room too: enough to tell
		// things apart, and on a very narrow terminal not even that.
		for _, least := range []int{4, 1} {
			for total > columns && t.narrow(wide, least) {
				total--
			}
		}
	}
	return wide
}

// narrow takes one from the widest column that has more than least.
func (t *table) narrow(wide []int, least int) bool {
	widest := -1
	for i, c := range t.columns {
		better := widest < 0 || t.columns[widest].right && !c.right ||
			t.columns[widest].right == c.right && wide[i] > wide[widest]
		if wide[i] > least && better {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	wide[widest]--
	return true
}

// appendLine is one row, nothing after its last cell that is not empty.
func (t *table) appendLine(b []byte, wide []int, cells []string, painted func(column) paint) []byte {
	last := min(len(cells), len(t.columns)) - 1
	for last > 0 && cells[last] == "" {
		last--
	}
	for i, c := range t.columns[:last+1] {
		if i > 0 {
			b = append(b, gap...)
		}
		cell := truncate(printable(cells[i]), wide[i])
		pad := strings.Repeat(" ", wide[i]-displayWidth(cell))
		if c.right {
			b = append(b, pad...)
		}
		b = append(b, painted(c).s(cell)...)
		if !c.right && i < last {
			b = append(b, pad...)
		}
	}
	return append(b, '\n')
}

// printer is a table, or several.
type printer interface {
	appendTSV(b []byte) []byte
	appendAligned(b []byte, pal palette, columns int) []byte
}

// print writes t for the kind of listing chosen; doc is what JSON gets.
func (l *listing) print(e *env, t printer, doc any) error {
	switch l.kind(e) {
	case "json":
		return e.writeJSON(doc)
	case "tsv":
		b := t.appendTSV(nil)
		if isTerminal(e.out) {
			b = []byte(printableLines(string(b)))
		}
		_, err := e.out.Write(b)
		return err
	}
	_, err := e.out.Write(t.appendAligned(nil, e.pal, width(e.out)))
	return err
}
