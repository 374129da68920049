package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"kafkactl/internal/record"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// finish sums a message again that a test has changed.
func finish(m []byte) []byte {
	binary.BigEndian.PutUint32(m[atMessageCRC:], crc32.ChecksumIEEE(m[atMagic:]))
	return m
}

// wrap makes a compressed message of a set that the test has laid out itself.
func wrap(tb testing.TB, magic int8, offset int64, typ Type, set []byte) []byte {
	tb.Helper()
	var d deflater
	value, err := d.deflate(nil, set, Options{Type: typ}, magic == 0)
	if err != nil {
		tb.Fatal(err)
	}
	e := sealed(tb, magic, Options{}, record.Record{Key: []byte("ignored"), Value: value, Timestamp: 77})
	binary.BigEndian.PutUint64(e, uint64(offset))
	e[atMessageAttr] = byte(typ)
	return finish(e)
}

// at gives the messages of a set those offsets.
func at(set []byte, offsets ...int64) []byte {
	set = bytes.Clone(set)
	for b := set; len(b) > 0; b = b[12+binary.BigEndian.Uint32(b[8:]):] {
		binary.BigEndian.PutUint64(b, uint64(offsets[0]))
		offsets = offsets[1:]
	}
	return set
}

func TestWrapperOffsetsAreThoseOfItsLast(t *testing.T) {
	for _, typ := range []Type{Gzip, Snappy, LZ4} {
		set := sealed(t, 1, Options{}, values("a", "b", "c")...)
		// Compaction leaves holes in relative offsets.
		got, err := read(wrap(t, 1, 104, typ, at(set, 0, 3, 4)), 0)
		if err != nil || !slices.Equal(offsets(got), []int64{100, 103, 104}) {
			t.Errorf("%v: %v %v", typ, offsets(got), err)
		}
		got, err = read(wrap(t, 1, 104, typ, at(set, 0, 3, 4)), 103)
		if err != nil || !slices.Equal(offsets(got), []int64{103, 104}) {
			t.Errorf("%v from 103: %v %v", typ, offsets(got), err)
		}
	}
}

func TestMixedFormatsInOneAnswer(t *testing.T) {
	var entries []byte
	entries = append(entries, at(sealed(t, 0, Options{}, values("a", "b")...), 5, 6)...)
	entries = append(entries, wrap(t, 0, 8, LZ4, at(sealed(t, 0, Options{}, values("c", "d")...), 7, 8))...)
	entries = append(entries, wrap(t, 1, 10, Snappy, sealed(t, 1, Options{}, values("e", "f")...))...)
	entries = append(entries, rebase(sealed(t, 2, Options{Type: Zstd}, values("g", "h")...), 11)...)
	entries = append(entries, at(sealed(t, 1, Options{}, values("i")...), 13)...)
	got, err := read(entries, 6)
	if err != nil || !slices.Equal(offsets(got), []int64{6, 7, 8, 9, 10, 11, 12, 13}) {
		t.Fatalf("%v %v", offsets(got), err)
	}
	var all string
	for _, r := range got {
		all += string(r.Value)
	}
	if all != "bcdefghi" {
		t.Errorf("values %q", all)
	}
}

func TestWrapperTimestamps(t *testing.T) {
	for name, c := range map[string]struct {
		wrapper, inner int8
		appended       bool
		time           int64
		kind           record.TimestampType
	}{
		"v1 create":           {1, 1, false, 1000, record.CreateTime},
		"v1 append":           {1, 1, true, 77, record.LogAppendTime},
		"v0 inside v1":        {1, 0, true, record.NoTimestamp, record.NoTimestampType},
		"v1 inside v0":        {0, 1, false, 1000, record.CreateTime},
		"v0 throughout":       {0, 0, false, record.NoTimestamp, record.NoTimestampType},
		"v1 inside v0 append": {0, 1, true, 1000, record.CreateTime}, // the bit means nothing in v0
	} {
		e := wrap(t, c.wrapper, 0, Gzip, sealed(t, c.inner, Options{}, values("a")...))
		if c.appended {
			e[atMessageAttr] |= attrLogAppendTime
			finish(e)
		}
		got, err := read(e, 0)
		if err != nil || len(got) != 1 || got[0].Timestamp != c.time || got[0].TimestampType != c.kind {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	e := sealed(t, 1, Options{}, values("a")...)
	e[atMessageAttr] |= attrLogAppendTime
	if got, err := read(finish(e), 0); err != nil || got[0].Timestamp != 1000 || got[0].TimestampType != record.LogAppendTime {
		t.Errorf("plain v1 append: %v %v", got, err)
	}
}

func TestNestingEndsAtTwo(t *testing.T) {
	set := sealed(t, 1, Options{}, values("a", "b")...)
	one := wrap(t, 1, 1, Gzip, set)
	two := wrap(t, 1, 21, LZ4, one)
	got, err := read(two, 0)
	if err != nil || !slices.Equal(offsets(got), []int64{20, 21}) {
		t.Fatalf("two deep: %v %v", offsets(got), err)
	}
	if got, err := read(wrap(t, 1, 30, Snappy, two), 0); len(got) != 0 || !errors.Is(errOf(err), ErrFormat) {
		t.Errorf("three deep: %v %v", offsets(got), err)
	}
}

func TestTruncatedRelativeSetIsDamage(t *testing.T) {
	set := sealed(t, 1, Options{}, values("a", "b")...)
	got, err := read(wrap(t, 1, 1, Gzip, set[:len(set)-1]), 0)
	if len(got) != 0 || !errors.Is(errOf(err), ErrFormat) {
		t.Errorf("%v %v", got, err)
	}
}

func TestMessagesThatLie(t *testing.T) {
	for _, magic := range []int8{0, 1} {
		key := keyAt(magic)
		for name, change := range map[string]func(m []byte) []byte{
			"key too long":    func(m []byte) []byte { m[key+3] = 200; return m },
			"key negative":    func(m []byte) []byte { m[key], m[key+3] = 255, 254; return m },
			"value too long":  func(m []byte) []byte { m[key+7] = 200; return m },
			"value too short": func(m []byte) []byte { m[key+7] = 0; return m },
			"compressed null": func(m []byte) []byte {
				m = m[:key+8]
				m[key+4], m[key+7] = 255, 255
				m[key+5], m[key+6] = 255, 255
				m[atMessageAttr] = 1
				return m
			},
			"compressed garbage": func(m []byte) []byte { m[atMessageAttr] = 2; return m },
			"compression 6":      func(m []byte) []byte { m[atMessageAttr] = 6; return m },
		} {
			m := change(at(sealed(t, magic, Options{}, record.Record{Value: []byte("value")}), 40))
			binary.BigEndian.PutUint32(m[8:], uint32(len(m)-12))
			finish(m)
			ok := at(sealed(t, magic, Options{}, values("ok")...), 39)
			entries := append(append(bytes.Clone(ok), m...), at(ok, 41)...)
			var r Reader
			r.Reset(entries, 0)
			got, err := drain(&r)
			if len(got) != 1 || err == nil || err.Offset != 40 || err.Resume != 41 {
				t.Errorf("v%d %s: %d records, %v", magic, name, len(got), err)
				continue
			}
			r.Skip()
			if got, err := drain(&r); err != nil || len(got) != 1 || got[0].Offset != 41 {
				t.Errorf("v%d %s: behind it %v %v", magic, name, offsets(got), err)
			}
		}
	}
	set := sealed(t, 1, Options{}, values("a", "b")...)
	for name, e := range map[string][]byte{
		"relative past the last": wrap(t, 1, 9, Gzip, at(set, 5, 1)),
		"relative negative":      wrap(t, 1, 9, Gzip, at(set, -1, 1)),
		"base negative":          wrap(t, 1, 0, Gzip, at(set, 0, 1)),
		"absolute negative":      wrap(t, 0, 9, Gzip, at(sealed(t, 0, Options{}, values("a")...), -5)),
		"inner length 0":         wrap(t, 0, 9, Gzip, make([]byte, 40)),
		"inner v1 too short":     wrap(t, 0, 9, Gzip, shortV1()),
	} {
		if _, err := read(e, 0); !errors.Is(errOf(err), ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// shortV1 is a message of the smallest v0 size that says it is v1.
func shortV1() []byte {
	m := make([]byte, minMessage0)
	binary.BigEndian.PutUint32(m[8:], minMessage0-12)
	m[atMagic] = 1
	return finish(m)
}

// What one entry inflates to is counted over all its nested wrappers.
func TestLimitCountsNestedWrappers(t *testing.T) {
	var inner []byte
	for range 20 {
		inner = append(inner, wrap(t, 0, 0, Gzip, sealed(t, 0, Options{}, record.Record{Value: make([]byte, 100_000)}))...)
	}
	r := Reader{Limit: 1_000_000}
	r.Reset(wrap(t, 0, 0, Gzip, inner), 0)
	got, err := drain(&r)
	if len(got) != 9 || !errors.Is(errOf(err), ErrLimit) {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func TestSealRefusesHeadersInMessageSets(t *testing.T) {
	for _, magic := range []int8{0, 1} {
		var b Builder
		b.Reset(magic)
		b.Append(&record.Record{Headers: record.Headers{}.Append([]byte("n"), nil)}, 1000)
		if _, err := new(Compressor).Seal(nil, &b, Options{}); err == nil {
			t.Errorf("v%d drops a header silently", magic)
		}
	}
}
