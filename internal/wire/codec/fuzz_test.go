package codec

import (
	"bytes"
	"math"
	"runtime"
	"testing"

	"kafkactl/internal/record"
)

// fuzzLimit keeps what one input can inflate to small enough to notice more.
const fuzzLimit = 1 << 20

// FuzzReader feeds arbitrary entries: the reader ends, at most one record comes
// out for a few bytes of what was inflated, and after damage it goes on behind.
func FuzzReader(f *testing.F) {
	for _, magic := range []int8{0, 1, 2} {
		for _, t := range typesOf(magic) {
			e := sealed(f, magic, Options{Type: t}, randomRecords(newRand(1), 5, magic)...)
			f.Add(e, int64(0), true)
			f.Add(append(bytes.Clone(e), e[:len(e)/2]...), int64(3), false)
		}
	}
	set := sealed(f, 1, Options{}, values("a", "b")...)
	f.Add(wrap(f, 1, 21, LZ4, wrap(f, 1, 1, Gzip, set)), int64(0), false)
	r := Reader{Limit: fuzzLimit}
	f.Fuzz(func(t *testing.T, entries []byte, from int64, noCheck bool) {
		r.NoCheck = noCheck
		var rec record.Record
		r.Reset(entries, from)
		for damages := 0; ; damages++ {
			for n := 0; r.Next(&rec); n++ {
				if rec.Offset < from {
					t.Fatalf("offset %d below %d", rec.Offset, from)
				}
				if n > (fuzzLimit+len(entries))/6*(len(entries)/minMessage0+1) {
					t.Fatal("more records than bytes can hold")
				}
				for range rec.Headers.All() {
				}
			}
			err := r.Err()
			if err == nil {
				break
			}
			if err.Resume < err.Offset || err.Error() == "" {
				t.Fatalf("resumes at %d before %d", err.Resume, err.Offset)
			}
			// Every damage costs an entry.
			if damages > len(entries)/minMessage0 {
				t.Fatal("more damages than entries")
			}
			r.Skip()
		}
		for _, b := range r.inflater.buf {
			if cap(b) > 8*fuzzLimit {
				t.Fatalf("a buffer of %d bytes under a limit of %d", cap(b), fuzzLimit)
			}
		}
	})
}

// FuzzRoundTrip builds records out of the input and wants them back.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), []byte("name"), int64(5), uint8(3), int8(2), int8(0))
	f.Add([]byte{}, []byte{}, []byte{}, int64(-1), uint8(200), int8(1), int8(2))
	f.Add([]byte{}, bytes.Repeat([]byte("ab"), 50_000), []byte{}, int64(1<<62), uint8(1), int8(0), int8(3))
	var b Builder
	var c Compressor
	var r Reader
	f.Fuzz(func(t *testing.T, key, value, name []byte, timestamp int64, count uint8, magic, typ int8) {
		count %= uint8(1 + 20_000/(100+len(key)+len(value)))
		magic = ((magic % 3) + 3) % 3
		types := typesOf(magic)
		o := Options{Type: types[int(uint8(typ))%len(types)], SnappyRaw: typ < 0, SnappyBlock: int(count) * 100}
		var want []record.Record
		for i := range int(count) + 1 {
			r := record.Record{Offset: int64(i), Timestamp: timestamp, LeaderEpoch: -1, Key: key, Value: value}
			switch i % 4 {
			case 1:
				r.Key, r.Timestamp = nil, -timestamp
			case 2:
				r.Value, r.Timestamp = nil, timestamp*31
			case 3:
				r.Key, r.Value = value, key
			}
			if magic == 2 && i%3 == 0 {
				r.Headers = r.Headers.Append(name, value).Append(key, nil)
			}
			if magic == 0 {
				r.Offset, r.Timestamp, r.TimestampType = 0, record.NoTimestamp, record.NoTimestampType
			}
			want = append(want, r)
		}
		b.Reset(magic)
		for i := range want {
			b.Append(&want[i], math.MaxInt)
		}
		e, err := c.Seal(nil, &b, o)
		if err != nil {
			t.Fatal(err)
		}
		r.Reset(e, 0)
		got, damage := drain(&r)
		if damage != nil {
			t.Fatal(damage)
		}
		same(t, got, want)
		s, ok, perr := ParseSpan(e)
		if !ok || perr != nil || o.Type != Uncompressed && s.Size != len(e) || s.Compression() != o.Type {
			t.Fatalf("%+v %v %v", s, ok, perr)
		}
		if magic == 2 && len(want) > 1 {
			a, b, left, err := c.Split(e, o)
			if err != nil {
				t.Fatal(err)
			}
			r.Reset(append(a, rebase(b, int64(left))...), 0)
			got, damage := drain(&r)
			if damage != nil {
				t.Fatal(damage)
			}
			same(t, got, want)
		}
	})
}

// fuzzInflate feeds arbitrary bytes to one decompression, and what it compresses
// back to it.
func fuzzInflate(f *testing.F, typ Type, anyHeader bool) {
	var d deflater
	for _, src := range [][]byte{nil, []byte("abc"), bytes.Repeat([]byte("abcd"), 30_000)} {
		for _, raw := range []bool{false, true} {
			p, err := d.deflate(nil, src, Options{Type: typ, SnappyRaw: raw}, anyHeader)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(p)
		}
	}
	var i inflater
	f.Fuzz(func(t *testing.T, src []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out, err := i.inflate(0, src, typ, fuzzLimit, anyHeader)
		runtime.ReadMemStats(&after)
		if err == nil && len(out) > fuzzLimit {
			t.Fatalf("%d bytes past the limit", len(out))
		}
		// Tables of the decoders, doubling, and one lz4 block of 4 MiB.
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Fatalf("%d bytes took %d of memory for %d, %v", len(src), used, len(out), err)
		}
		p, err := d.deflate(nil, src, Options{Type: typ}, anyHeader)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := i.inflate(1, p, typ, len(src), anyHeader); err != nil || !bytes.Equal(back, src) {
			t.Fatalf("%d bytes come back as %d, %v", len(src), len(back), err)
		}
	})
}

func FuzzGzip(f *testing.F)   { fuzzInflate(f, Gzip, false) }
func FuzzSnappy(f *testing.F) { fuzzInflate(f, Snappy, false) }
func FuzzLZ4(f *testing.F)    { fuzzInflate(f, LZ4, false) }
func FuzzLZ4V0(f *testing.F)  { fuzzInflate(f, LZ4, true) }
func FuzzZstd(f *testing.F)   { fuzzInflate(f, Zstd, false) }

// FuzzMarker feeds arbitrary heads to what reads nothing but heads.
func FuzzMarker(f *testing.F) {
	f.Add(sealed(f, 2, Options{}, values("a")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok, err := ParseSpan(b)
		if ok && err == nil && (s.Size < minMessage0 || s.Next <= s.Base) {
			t.Fatalf("%+v", s)
		}
		MarkerType(b)
		var a Aborted
		a.Reset([]AbortedRange{{s.ProducerID, s.Base}})
		a.Drop(s, 0)
	})
}
