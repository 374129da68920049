package filter

import (
	"testing"

	"kafkactl/internal/record"
)

func TestConditions(t *testing.T) {
	h := record.Headers{}.Append([]byte("src"), []byte("app")).Append([]byte("src"), []byte("web")).Append([]byte("none"), nil)
	r := &record.Record{Topic: "orders", Key: []byte("user-1"), Value: []byte("an error\xff: k:x"), Headers: h}
	null := &record.Record{Topic: "orders"}
	for _, c := range []struct {
		name        string
		texts       []string
		full, empty bool
	}{
		{"no condition", nil, true, true},
		{"the value", []string{"err.r"}, true, false},
		{"named", []string{"v:^an"}, true, false},
		{"nowhere", []string{"fine"}, false, false},
		{"not", []string{"!fine"}, true, true},
		{"not what is", []string{"!error"}, false, true},
		{"a byte", []string{`error\xff:`}, true, false},
		{"bytes of a class", []string{`^[^\x80-\xfe]+$`}, true, false},
		{"any byte is one", []string{`r\xff.{5}$`}, true, false},
		{"another byte", []string{`\xfe`}, false, false},
		{"a character of that number", []string{`\x{ff}`}, false, false},
		{"no byte, but text", []string{`\Q\xff\E`}, false, false},
		{"no byte, but an escaped backslash", []string{`\\xff`}, false, false},
		{"an empty one matches all but null", []string{""}, true, false},
		{"the key", []string{"k:^user-[0-9]$"}, true, false},
		{"the topic", []string{"t:^ord"}, true, true},
		{"a header", []string{"h:src=^w"}, true, false},
		{"any of that name", []string{"h:src=^a"}, true, false},
		{"not a header", []string{"!h:src=^x"}, true, true},
		{"is there", []string{"h:none"}, true, false},
		{"is not there", []string{"!h:src"}, false, true},
		{"a null header", []string{"h:none="}, false, false},
		{"a prefix as text", []string{"v:k:x"}, true, false},
		{"any letter before a colon", []string{"x:"}, false, false},
		{"all must hold", []string{"error", "k:user", "!h:other"}, true, false},
		{"one does not", []string{"error", "k:other"}, false, false},
	} {
		g, err := NewGrep(c.texts)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if g.Keep(r) != c.full || g.Keep(null) != c.empty {
			t.Errorf("%s: %v and %v, want %v and %v", c.name, g.Keep(r), g.Keep(null), c.full, c.empty)
		}
	}
	if g, err := NewGrep([]string{`^\x00{4}\xc8`}); err != nil || !g.Keep(&record.Record{Value: []byte("\x00\x00\x00\x00\xc8\x02a")}) || g.Keep(&record.Record{Value: []byte("\x00\x00\x00\x00\u00c8")}) {
		t.Errorf("a schema's number: %v", err)
	}
	for _, bad := range []string{"(", "k:[", "h:", "!h:=x", `é\xff`} {
		if _, err := NewGrep([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
