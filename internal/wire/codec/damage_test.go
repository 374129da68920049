package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"testing"

	"kafkactl/internal/record"
)

// batchOf seals records that the test has encoded itself, under a good checksum.
func batchOf(tb testing.TB, typ Type, count int32, lastDelta int32, records []byte) []byte {
	tb.Helper()
	b := Builder{buf: append(make([]byte, Head), records...), count: 1, first: 1000, highest: 1000}
	var c Compressor
	e, err := c.Seal(nil, &b, Options{Type: typ})
	if err != nil {
		tb.Fatal(err)
	}
	e = bytes.Clone(e)
	binary.BigEndian.PutUint32(e[atCount:], uint32(count))
	binary.BigEndian.PutUint32(e[atLastDelta:], uint32(lastDelta))
	return resum(e)
}

// rec encodes one record with a length that is off by that much.
func rec(offset int64, off int, body ...byte) []byte {
	b := []byte{0, 0} // attributes, timestamp delta
	b = binary.AppendVarint(b, offset)
	b = append(b, body...)
	return append(binary.AppendVarint(nil, int64(len(b)+off)), b...)
}

// A batch whose inside contradicts its header, under a good checksum, is damage
// that is told at once and can be passed: brokers acknowledge such batches when
// they are compressed.
func TestLyingInsidesAreDamageThatCanBePassed(t *testing.T) {
	plain := []byte{1, 2, 'v', 0} // null key, value "v", no headers
	good := func(offsets ...int64) (b []byte) {
		for _, o := range offsets {
			b = append(b, rec(o, 0, plain...)...)
		}
		return b
	}
	huge := bytes.Repeat([]byte{0xFF}, 10)
	cases := map[string]struct {
		count, last int32
		records     []byte
		sound       int   // records yielded before the damage
		offset      int64 // of the damage, from the base
	}{
		"length one too many":         {2, 1, append(good(0), rec(1, 1, plain...)...), 1, 1},
		"length one too few":          {2, 1, append(good(0), rec(1, -1, plain...)...), 1, 1},
		"first length one too many":   {2, 1, append(rec(0, 1, plain...), good(1)...), 0, 0},
		"first length one too few":    {2, 1, append(rec(0, -1, plain...), good(1)...), 0, 0},
		"length negative":             {2, 1, append(good(0), 3, 0, 0, 2, 1, 1, 0), 1, 1},
		"length 0":                    {2, 1, append(good(0), 0, 0, 0, 2, 1, 1, 0), 1, 1},
		"length overflows":            {2, 1, append(good(0), huge...), 1, 1},
		"length huge":                 {2, 1, append(good(0), 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0), 1, 1},
		"count too high":              {3, 2, good(0, 1), 2, 2},
		"count far too high":          {math.MaxInt32, 1, good(0, 1), 2, 2},
		"count too low":               {1, 1, good(0, 1), 1, 1},
		"count 0":                     {0, 1, good(0, 1), 0, 0},
		"bytes left over":             {2, 1, append(good(0, 1), 0), 2, 2},
		"offset past the last":        {2, 1, good(0, 2), 1, 1},
		"offset twice":                {2, 1, good(0, 0), 1, 1},
		"offset going down":           {3, 2, good(0, 2, 1), 2, 3},
		"offset negative":             {1, 0, good(-1), 0, 0},
		"timestamp delta overflows":   {1, 0, append([]byte{40, 0}, append(huge, make([]byte, 20)...)...), 0, 0},
		"offset delta overflows":      {1, 0, append([]byte{40, 0, 0}, append(huge, make([]byte, 20)...)...), 0, 0},
		"key past the end":            {1, 0, rec(0, 0, 20, 'k', 1, 0), 0, 0},
		"key length -2":               {1, 0, rec(0, 0, 3, 2, 'v', 0), 0, 0},
		"value past the end":          {1, 0, rec(0, 0, 1, 8, 'v', 0), 0, 0},
		"value length -2":             {1, 0, rec(0, 0, 1, 3, 0, 0), 0, 0},
		"no header count":             {1, 0, rec(0, 0, 1, 4, 'v', 'v'), 0, 0},
		"headers negative":            {1, 0, rec(0, 0, 1, 2, 'v', 1), 0, 0},
		"headers past the end":        {1, 0, rec(0, 0, 1, 2, 'v', 4, 2, 'n', 2, 'v'), 0, 0},
		"headers far past the end":    {1, 0, rec(0, 0, append([]byte{1, 2, 'v'}, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F)...), 0, 0},
		"header name null":            {1, 0, rec(0, 0, 1, 2, 'v', 2, 1, 2, 'v'), 0, 0},
		"header value past the end":   {1, 0, rec(0, 0, 1, 2, 'v', 2, 2, 'n', 9, 'v'), 0, 0},
		"bytes behind the headers":    {1, 0, rec(0, 0, 1, 2, 'v', 0, 0), 0, 0},
		"header value length -2":      {1, 0, rec(0, 0, 1, 2, 'v', 2, 2, 'n', 3), 0, 0},
		"record that is only numbers": {1, 0, []byte{12, 0, 0, 0, 0x80, 0x80, 0x80}, 0, 0},
	}
	for name, c := range cases {
		for _, typ := range typesOf(2) {
			e := rebase(batchOf(t, typ, c.count, c.last, c.records), 50)
			next := 50 + int64(c.last) + 1
			entries := append(e, rebase(sealed(t, 2, Options{}, values("behind")...), next)...)
			var r Reader
			r.Reset(entries, 0)
			got, err := drain(&r)
			if err == nil || len(got) != c.sound || !errors.Is(err, ErrFormat) {
				t.Errorf("%s, %v: %d records, %v", name, typ, len(got), err)
				continue
			}
			if err.Offset != 50+c.offset || err.Resume != max(next, err.Offset) {
				t.Errorf("%s, %v: offset %d, resume %d", name, typ, err.Offset, err.Resume)
			}
			if r.Next(new(record.Record)) {
				t.Errorf("%s, %v: goes on without Skip", name, typ)
			}
			r.Skip()
			got, err = drain(&r)
			if err != nil || len(got) != 1 || got[0].Offset != next || string(got[0].Value) != "behind" {
				t.Errorf("%s, %v: behind it %v, %v", name, typ, offsets(got), err)
			}
		}
	}
}

func TestChecksumsAreCheckedUnlessToldNotTo(t *testing.T) {
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		e := sealed(t, magic, o, values("a")...)
		sum := atCRC
		if magic < 2 {
			sum = atMessageCRC
		}
		e[sum] ^= 1
		r := Reader{}
		r.Reset(e, 0)
		if got, err := drain(&r); len(got) != 0 || !errors.Is(errOf(err), ErrChecksum) {
			t.Errorf("%d records, %v", len(got), err)
		}
		r.NoCheck = true
		r.Reset(e, 0)
		if got, err := drain(&r); len(got) != 1 || err != nil {
			t.Errorf("unchecked: %d records, %v", len(got), err)
		}
	})
	e := sealed(t, 2, Options{}, values("a", "b")...)
	for i := atAttributes; i < len(e); i++ {
		bad := bytes.Clone(e)
		bad[i] ^= 0x40
		if _, err := read(bad, 0); err == nil && bad[atAttributes+1]&attrControl == 0 {
			t.Errorf("byte %d flipped and no error", i)
		}
	}
}

// A header that makes no sense cannot take the reader to an offset it made up.
func TestNonsenseHeadersLeaveThePosition(t *testing.T) {
	good := sealed(t, 2, Options{}, values("a")...)
	for name, c := range map[string]struct {
		change         func(e []byte)
		offset, resume int64
		behind         int
	}{
		"size":  {func(e []byte) { binary.BigEndian.PutUint32(e[8:], 3) }, 40, 41, 0},
		"base":  {func(e []byte) { binary.BigEndian.PutUint64(e, math.MaxInt64) }, 31, 32, 1},
		"delta": {func(e []byte) { binary.BigEndian.PutUint32(e[atLastDelta:], 1<<31) }, 40, 41, 1},
		"magic": {func(e []byte) { e[atMagic] = 9 }, 40, 41, 1},
	} {
		bad := rebase(good, 40)
		c.change(bad)
		var r Reader
		r.Reset(append(append(rebase(good, 30), bad...), rebase(good, 60)...), 30)
		got, err := drain(&r)
		if len(got) != 1 || err == nil || err.Offset != c.offset || err.Resume != c.resume {
			t.Errorf("%s: %d records, %v", name, len(got), err)
		}
		r.Skip()
		if got, err := drain(&r); err != nil || len(got) != c.behind {
			t.Errorf("%s: behind it %d records, %v", name, len(got), err)
		}
	}
}

// bombs are small entries that inflate to size bytes.
func bombs(tb testing.TB, size int) map[string][]byte {
	tb.Helper()
	zeros := make([]byte, size)
	all := map[string][]byte{}
	for _, typ := range []Type{Gzip, Snappy, LZ4, Zstd} {
		all[typ.String()] = batchOf(tb, typ, 1, 0, zeros)
	}
	raw := snap(nil, zeros, true, 0)
	all["snappy raw"] = compressedAs(Snappy, raw)
	all["zstd of unknown size"] = compressedAs(Zstd, zstdStream(tb, zeros))
	return all
}

// compressedAs is a batch around a payload that the test has compressed itself.
func compressedAs(typ Type, payload []byte) []byte {
	b := Builder{buf: append(make([]byte, Head), payload...), count: 1}
	e, _ := new(Compressor).Seal(nil, &b, Options{})
	e[atAttributes+1] = byte(typ)
	return resum(bytes.Clone(e))
}

func TestBombsEndAsErrors(t *testing.T) {
	const size = 128 << 20
	const limit = 24 << 20
	for name, e := range bombs(t, size) {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := Reader{Limit: limit}
		r.Reset(e, 0)
		got, err := drain(&r)
		runtime.ReadMemStats(&after)
		if len(got) != 0 || !errors.Is(errOf(err), ErrLimit) {
			t.Errorf("%s: %d records, %v", name, len(got), err)
		}
		// Doubling adds up to twice the last buffer.
		if used := after.TotalAlloc - before.TotalAlloc; used > 3*limit {
			t.Errorf("%s: %d bytes of %d compressed took %d MiB", name, size, len(e), used>>20)
		}
		r.Reset(nil, 0)
		for _, b := range r.inflater.buf {
			if cap(b) > keepInflated {
				t.Errorf("%s: a buffer of %d bytes is kept", name, cap(b))
			}
		}
	}
}

// Few bytes that only say that they are a lot get no memory for it.
func TestClaimsGetNoMemory(t *testing.T) {
	lz4Claim := append(unhex(t, "04224d18"+"6870"+"0000001000000000"), 0)
	lz4Claim[14] = lz4HeaderSum(lz4Claim[4:14])
	lz4Claim = append(lz4Claim, 4, 0, 0, 0, 0x10, 'a', 1, 0)
	for name, e := range map[string][]byte{
		"snappy raw":    compressedAs(Snappy, unhex(t, "ffffff7f00")),
		"snappy xerial": compressedAs(Snappy, unhex(t, xerialHex+"00000005"+"ffffff7f00")),
		"zstd":          compressedAs(Zstd, unhex(t, "28b52ffd"+"a0"+"00000008"+"010000")),
		"zstd window":   compressedAs(Zstd, unhex(t, "28b52ffd"+"00"+"a8"+"010000")),
		"lz4":           compressedAs(LZ4, lz4Claim),
	} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var r Reader
		r.Reset(e, 0)
		_, err := drain(&r)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
			t.Errorf("%s: %v took %d KiB", name, err, used>>10)
		}
	}
}
