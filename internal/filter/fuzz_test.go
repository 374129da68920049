package filter

import (
	"errors"
	"strings"
	"testing"

	"kafkactl/internal/record"
)

// FuzzGrep has any text be a condition on any record; its negation holds exactly
// where it does not.
func FuzzGrep(f *testing.F) {
	for _, s := range []string{"error", "k:^user-", "v:test", "t:orders", "h:src=web", "h:src", "h:=", "(?i)É|\\xff", "!!x", ":", "h:"} {
		f.Add(s, []byte("user-1"), []byte("an error\xff"), "src")
	}
	f.Fuzz(func(t *testing.T, text string, key, value []byte, header string) {
		g, err := NewGrep([]string{text})
		if err != nil {
			return
		}
		r := &record.Record{Topic: "orders", Key: key, Value: value}
		r.Headers = r.Headers.Append([]byte(header), value).Append([]byte(header), nil)
		kept := g.Keep(r)
		if strings.HasPrefix(text, "!") {
			return
		}
		not, err := NewGrep([]string{"!" + text})
		if err != nil {
			t.Fatalf("%q is a condition, and !%q none: %v", text, text, err)
		}
		if not.Keep(r) == kept {
			t.Fatalf("%q and its negation are both %v", text, kept)
		}
	})
}

// FuzzExpr has any text be an expression: what cannot be read is laid to a place
// in it. It is not run, for it may run for ever.
func FuzzExpr(f *testing.F) {
	for _, s := range []string{`.value.amount > 100 and .partition == 3`, `.headers["a"] | test("x")`, `def f: f; f`, `.a as [$x, {b: $y}] | "\($x)"`, `..`, `.key[`, `"\u00`, `$ENV`, "\x90", ".a + \xff", `reduce .[] as $i (0; . + $i)`, `?//`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := NewExpr(text)
		var at *ExprError
		switch {
		case err == nil:
			_ = x.view(&record.Record{Value: []byte(`{"a":1}`)})
		case errors.As(err, &at) && (at.At < 1 || at.At > len(text)+1):
			t.Fatalf("%q: %v, beyond it", text, err)
		}
	})
}
