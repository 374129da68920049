package filter

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/record"
)

func order() *record.Record {
	return &record.Record{
		Topic: "orders", Partition: 3, Offset: 9007199254740993, LeaderEpoch: 7,
		Timestamp: 1795442700123, TimestampType: record.CreateTime,
		Key:     []byte("user-1"),
		Value:   []byte(`{"id":12345678901234567890,"amount":100.5,"tags":["a","b"],"note":null,"at":{"city":"Köln"}}`),
		Headers: record.Headers{}.Append([]byte("trace"), []byte("t1")).Append([]byte("trace"), []byte("t2")).Append([]byte("none"), nil),
	}
}

func TestExpressionsSeeAllOfARecord(t *testing.T) {
	for text, want := range map[string]bool{
		`.value.amount > 100`:                            true,
		`.value.amount > 100 and .partition == 4`:        false,
		`.value.at.city == "Köln"`:                       true,
		`.value.tags | index("b") == 1`:                  true,
		`.value.note == null and (.value | has("note"))`: true,
		`.value.missing`:                                 false,
		`.value.id == 12345678901234567890`:              true,
		`.value.id == 12345678901234567891`:              false,
		`.offset == 9007199254740993`:                    true,
		`.offset == 9007199254740992`:                    false,
		`.time > "2026-11-01" and .time < "2026-12"`:     true,
		`.timestamp == 1795442700123`:                    true,
		`.timestampType == "CreateTime"`:                 true,
		`.headers.trace == "t2"`:                         true,
		`.headers | has("none") and .none == null`:       true,
		`[.headerList[] | .value] == ["t1", "t2", null]`: true,
		`.key | test("^user-\\d$")`:                      true,
		`.text | startswith("{\"id\"")`:                  true,
		`.topic == "orders" and .leaderEpoch == 7`:       true,
		`empty`:                            false,
		`false, true`:                      true,
		`env | length == 0`:                true,
		`$ENV | length == 0`:               true,
		`.value.tags[] | select(. == "b")`: true,
		`(.value.at.city | ascii_downcase) == "kÖln"`:     false,
		`.value.amount as $a | [$a, 1] | add | . > 101.4`: true,
	} {
		x, err := NewExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := x.Keep(t.Context(), order()); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestValuesThatAreNoJSONAreText(t *testing.T) {
	for value, want := range map[string]string{
		"hello": `"hello"`, "": `""`, "12": `12`, "12 13": `"12 13"`, `{"a":1} x`: `"{\"a\":1} x"`, `{"a":`: `"{\"a\":"`,
		"null": `null`, "true": `true`, "truely": `"truely"`, ` [1, 2] `: `[1,2]`, `"x"`: `"x"`, "1e400": "1e400",
		`{"a":1,"a":2}`: `{"a":2}`, strings.Repeat("[", 100_000): `"` + strings.Repeat("[", 100_000) + `"`,
	} {
		x, err := NewExpr(".value")
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Append(t.Context(), nil, &record.Record{Value: []byte(value)}, false)
		if err != nil || string(got) != want+"\n" {
			t.Errorf("%.40q: got %.80q, %v, want %.80q", value, got, err, want)
		}
	}
	x, _ := NewExpr(".value == null and .key == null and .timestamp == null and .time == null and .leaderEpoch == null")
	if ok, err := x.Keep(t.Context(), &record.Record{Timestamp: record.NoTimestamp, TimestampType: record.NoTimestampType, LeaderEpoch: -1}); !ok || err != nil {
		t.Errorf("a record of nulls: %v, %v", ok, err)
	}
}

// What an expression is taken to need changes nothing of what it says.
func TestFieldsThatAreNotNeededAreNotMissed(t *testing.T) {
	for _, text := range []string{
		`.`, `..`, `keys`, `.[]`, `to_entries`, `.value`, `.value.id`, `.["value"]`, `."value"`, `.value["id"]`, `{value, key}`, `{"key"}`, `{(.key): .offset}`,
		`. as $r | $r.key`, `. as {key: $k} | $k`, `.value as $v | .offset + ($v.amount | floor)`, `select(.partition == 3)`, `select(.partition == 3) | .key`,
		`.value | keys`, `.value | .`, `(.value | .at) | .city`, `(.) | .key`, `if .key then .offset else .value end`, `try .value catch .key`, `.value?`, `.value[]?`,
		`def f: .key; f`, `reduce .value.tags[] as $t (""; . + $t)`, `[.value.tags[] | . + "x"]`, `"\(.key)-\(.value.id)"`, `@base64 "\(.key)"`, `-(.partition)`, `.value.tags[.partition - 2]`,
		`.headers[.key]`, `.headers.trace // .key`, `del(.value)`, `.value = 1`, `.key |= . + "x"`, `path(..)`, `getpath(["key"])`, `length`, `has("key")`,
		`.value | .tags as [$a, $b] | $b`, `.headerList[0].name`, `.time`, `.timestampType`, `.text`, `limit(1; .value.tags[])`, `[.topic, .leaderEpoch, .timestamp]`, `label $f | .key, break $f`,
		`(.key, .offset) | tostring`, `.key | length`, `(.key | .) as $k | .topic + $k`, `.offset == .offset | not`, `(. | .value) == .value`, `.value // . | .key?`,
	} {
		x, err := NewExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		full := &Expr{code: x.code, needs: needs{all: true}, time: mostTime, memory: mostMemory}
		want, wantErr := full.Append(t.Context(), nil, order(), false)
		got, err := x.Append(t.Context(), nil, order(), false)
		if string(got) != string(want) || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: got %s, %v, want %s, %v", text, got, err, want, wantErr)
		}
	}
	x, err := NewExpr(`.value.amount > 100 and .partition == 3`)
	if err != nil || x.needs.all || len(x.needs.fields) != 2 {
		t.Errorf("needs %v, %v, want value and partition alone", x.needs, err)
	}
}

func TestResultsAreLines(t *testing.T) {
	for _, tt := range []struct {
		text string
		raw  bool
		want string
	}{
		{`.value.tags[]`, false, "\"a\"\n\"b\"\n"},
		{`.value.tags[]`, true, "a\nb\n"},
		{`.value.id, .offset`, true, "12345678901234567890\n9007199254740993\n"},
		{`{id: .value.id, key}`, false, "{\"id\":12345678901234567890,\"key\":\"user-1\"}\n"},
		{`empty`, false, "before"},
		{`.value.amount, error("no")`, false, "error"},
	} {
		x, err := NewExpr(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Append(t.Context(), []byte("before"), order(), tt.raw)
		switch {
		case tt.want == "error":
			if err == nil || string(got) != "before" {
				t.Errorf("%s: got %q, %v, want an error and nothing of it", tt.text, got, err)
			}
		case err != nil || string(got) != "before"+strings.TrimPrefix(tt.want, "before"):
			t.Errorf("%s: got %q, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestExpressionsThatFailSayWhy(t *testing.T) {
	for _, text := range []string{`.value.amount.x`, `.key.a`, `error("x")`, `halt`, `.value + 1`} {
		x, err := NewExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if ok, err := x.Keep(t.Context(), order()); err == nil {
			t.Errorf("%s: no error, but %v", text, ok)
		}
	}
	for text, column := range map[string]int{`.value.a >`: 11, `.value ==== 1`: 10, `"abc`: 5, `.key and and`: 10, `.key == "é" foo`: 14, `é`: 1, `"a\q"`: 3, "\x90": 1, ".a + \xff": 6} {
		_, err := NewExpr(text)
		var at *ExprError
		if !errors.As(err, &at) || at.At != column {
			t.Errorf("%q: got %v, want column %d", text, err, column)
		}
	}
	for _, text := range []string{`nosuch`, `input`, `inputs`, `$x`, `import "a" as a; .`, `include "a"; .`, `.value | nosuch(1)`} {
		if _, err := NewExpr(text); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestAnExpressionWithoutEndEndsWithItsContext(t *testing.T) {
	x, err := NewExpr(`last(repeat(1))`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := x.Keep(ctx, order()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A loop without end is no way to hang, nor to eat the machine.
func TestAnExpressionWithoutEndIsEnded(t *testing.T) {
	for _, text := range []string{`def f: f; f`, `[range(infinite)]`, `until(false; .)`, `last(repeat(.))`, `def f: f + 1; f`, `range(infinite) | empty`} {
		for _, limit := range []string{"1ms", "8 MB of memory"} {
			x, err := NewExpr(text)
			if err != nil {
				t.Fatal(err)
			}
			if x.time = time.Millisecond; limit != "1ms" {
				if x.time, x.memory = time.Hour, 8<<20; !strings.ContainsAny(text, "[+") {
					continue // it takes no memory
				}
			}
			// What the run before left would count as there from the start, and each
			// run would take twice what the last one took.
			runtime.GC()
			var endless *EndlessError
			for range 2 {
				if _, err := x.Keep(t.Context(), order()); !errors.As(err, &endless) || endless.Limit != limit {
					t.Errorf("%s: got %v, want the end of %s", text, err, limit)
				}
			}
			if _, err := x.Append(t.Context(), nil, order(), false); !errors.As(err, &endless) {
				t.Errorf("%s: got %v from results", text, err)
			}
		}
	}
	x, err := NewExpr(`repeat("x" * 10000)`)
	if err != nil {
		t.Fatal(err)
	}
	x.time, x.memory = time.Hour, 8<<20
	runtime.GC()
	var endless *EndlessError
	if _, err := x.Append(t.Context(), nil, order(), false); !errors.As(err, &endless) {
		t.Errorf("results without end: %v", err)
	}
}

func TestYieldsIsWhetherThereIsAResult(t *testing.T) {
	for text, want := range map[string]string{`.key`: "true", `null`: "true", `empty`: "false", `.value.tags[] | select(. == "c")`: "false", `.key, error("x")`: "false x"} {
		x, err := NewExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		yes, err := x.Yields(t.Context(), order())
		got := strconv.FormatBool(yes)
		if err != nil {
			got += " " + err.Error()[len(err.Error())-1:]
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func BenchmarkWhere(b *testing.B) {
	x, err := NewExpr(`.value.amount > 100 and .partition == 3`)
	if err != nil {
		b.Fatal(err)
	}
	r := order()
	for b.Loop() {
		if ok, err := x.Keep(b.Context(), r); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
