package sink

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/format"
	"kafkactl/internal/record"
)

func TestNamesStayWithinTheirElement(t *testing.T) {
	tpl, err := ParseTemplate("out/%k/x.jsonl", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, key := range []string{"", ".", "..", "../..", "/etc/passwd", "a/b", "a%2Fb", "%", "%empty", "%null", ".hidden", "\x00", "a\nb",
		"\x1b[2J", "\xff\xfe", "\u202e", "\u0085", "ünï", "a b", strings.Repeat("k", 300), strings.Repeat("k", 301), strings.Repeat("ü", 200), "null", "empty"} {
		r := &record.Record{Key: []byte(key)}
		name := tpl.name(string(tpl.key(nil, r)), 0, 0)
		if path.Clean(name) != name || strings.Count(name, "/") != 2 || !strings.HasPrefix(name, "out/") || len(path.Dir(name)) > 4+nameMost {
			t.Errorf("key %q gives %q", key, name)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x202e || r == 0xfffd }) {
			t.Errorf("key %q gives %q", key, name)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("keys %q and %q are both %q", key, other, name)
		}
		seen[name] = key
		if element := path.Base(path.Dir(name)); len(key) > 0 && len(key) < 200 {
			if back, err := url.PathUnescape(element); err != nil || back != key {
				t.Errorf("%q reads back as %q, %v", element, back, err)
			}
		}
	}
	if name := tpl.name(string(tpl.key(nil, &record.Record{})), 0, 0); name != "out/%null/x.jsonl" {
		t.Errorf("a null key gives %q", name)
	}
}

func TestTemplatesNameFiles(t *testing.T) {
	r := &record.Record{Topic: "orders", Partition: 3, Offset: 42, Timestamp: 1_700_000_000_000, Key: []byte("k")}
	r.Headers = record.Headers{}.Append([]byte("h"), []byte("one")).Append([]byte("h"), []byte("two"))
	for template, want := range map[string][2]string{
		"%t-%p.jsonl.gz":              {"orders-3.jsonl.gz", "orders-3.000007.jsonl.gz"},
		"out/%t/%T{%Y/%m-%d}/%p-%o.x": {"out/orders/2023/11-14/3-42.x", "out/orders/2023/11-14/3-42.000007.x"},
		"%h{h}%%%k{hex}":              {"two%6b", "two%6b.000007"},
		"all.zst":                     {"all.zst", "all.000007.zst"},
		"a.b/%p":                      {"a.b/3", "a.b/3.000007"},
	} {
		tpl, err := ParseTemplate(template, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		key := string(tpl.key(nil, r))
		if one, seven := tpl.name(key, r.Offset, 0), tpl.name(key, r.Offset, 7); one != want[0] || seven != want[1] {
			t.Errorf("%s: %q, %q", template, one, seven)
		}
	}
	for template, at := range map[string]int{"": 1, "out/": 5, "a%q": 2, "a%": 2, "a/%p{hex}": 6, "a/%p{big32}": 5, "%T{%Q}": 4, "x%h": 2, "%s": 1, "%T{": 3} {
		_, err := ParseTemplate(template, time.UTC)
		var se *format.SyntaxError
		if !errors.As(err, &se) || se.At != at {
			t.Errorf("%q: %v, want column %d", template, err, at)
		}
	}
}

func TestWindowsNamesAvoidDevices(t *testing.T) {
	tpl := &Template{windows: true}
	for in, want := range map[string]string{"con": "%63on", "CON.txt": "%43ON.txt", "com1.x": "%63om1.x", "com10": "com10", "end.": "end%2E", "a ": "a%20", "console": "console"} {
		if got := tpl.element(in, ""); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	if got := string(tpl.safe(nil, []byte(`a:b\c`))); got != "a%3Ab%5Cc" {
		t.Errorf("%q", got)
	}
}
