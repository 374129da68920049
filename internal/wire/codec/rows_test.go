package codec

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/klauspost/compress/snappy"

	"kafkactl/internal/record"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

const xerialHex = "82534e41505059000000000100000001"

// blocksOf takes xerial framing apart by its description, not by our reader.
func blocksOf(tb testing.TB, framed []byte) (blocks [][]byte) {
	tb.Helper()
	if head := hex.EncodeToString(framed[:16]); head != xerialHex {
		tb.Fatalf("head %s", head)
	}
	for b := framed[16:]; len(b) > 0; {
		n := int(binary.BigEndian.Uint32(b))
		plain, err := snappy.Decode(nil, b[4:4+n])
		if err != nil {
			tb.Fatal(err)
		}
		blocks = append(blocks, plain)
		b = b[4+n:]
	}
	return blocks
}

func TestS01XerialEncode(t *testing.T) {
	src := bytes.Repeat([]byte("0123456789"), 7000)
	blocks := blocksOf(t, snap(nil, src, false, 0))
	if len(blocks) != 3 || len(blocks[0]) != 32768 || len(blocks[1]) != 32768 || len(blocks[2]) != 4464 {
		t.Fatalf("%d blocks", len(blocks))
	}
	if !bytes.Equal(bytes.Join(blocks, nil), src) {
		t.Fatal("blocks decode to something else")
	}
	if got := hex.EncodeToString(snap(nil, nil, false, 0)); got != xerialHex {
		t.Errorf("empty input gives %s", got)
	}
	if blocks := blocksOf(t, snap(nil, src, false, 1000)); len(blocks) != 70 || len(blocks[0]) != 1000 {
		t.Errorf("blocks of 1000: %d of %d", len(blocks), len(blocks[0]))
	}
	// Bytes that do not compress make a block longer than what it holds.
	noise := randomRecords(newRand(1), 1, 2)[0].Value
	for len(noise) < 40000 {
		noise = binary.LittleEndian.AppendUint64(noise, newRand(uint64(len(noise))).Uint64())
	}
	framed := snap(nil, noise, false, 0)
	if n := binary.BigEndian.Uint32(framed[16:]); n <= 32768 {
		t.Errorf("a block of noise has %d bytes", n)
	}
	if !bytes.Equal(bytes.Join(blocksOf(t, framed), nil), noise) {
		t.Error("noise decodes to something else")
	}
	// A sealed batch is framed, or one raw buffer on request.
	for raw, framed := range map[bool]bool{false: true, true: false} {
		e := sealed(t, 2, Options{Type: Snappy, SnappyRaw: raw}, values("a", "b")...)
		if got := bytes.HasPrefix(e[Head:], unhex(t, xerialHex)); got != framed {
			t.Errorf("raw %v: framed %v", raw, got)
		}
		if got, err := read(e, 0); err != nil || len(got) != 2 {
			t.Errorf("raw %v: %d records, %v", raw, len(got), err)
		}
	}
}

func TestS02SnappyDecode(t *testing.T) {
	block := "000000050308616263"
	for in, want := range map[string]string{
		xerialHex + block + block: "abcabc",
		"0308616263":              "abc",
		xerialHex:                 "",
	} {
		got, err := unsnappy(nil, unhex(t, in), 1000)
		if err != nil || string(got) != want {
			t.Errorf("%s gives %q, %v; want %q", in, got, err, want)
		}
	}
	for name, in := range map[string]string{
		"version 2":         "82534e41505059000000000200000001" + block,
		"compatible with 2": "82534e41505059000000000100000002" + block,
		"block cut short":   xerialHex + block + "0000000503086162",
		"length cut short":  xerialHex + block + "000000",
		"negative length":   xerialHex + block + "ffffffff0308616263",
		"empty block":       xerialHex + "00000000",
		"nothing":           "",
		"raw cut short":     "03086162",
		"lying length":      "ffffff0f08616263",
	} {
		if got, err := unsnappy(nil, unhex(t, in), math.MaxInt32); !errors.Is(err, ErrFormat) {
			t.Errorf("%s gives %q, %v", name, got, err)
		}
	}
}

func TestS03Gzip(t *testing.T) {
	src := []byte("some lines\nthat compress compress compress\n")
	var d gzipper
	packed, err := d.deflate(nil, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, src) {
		t.Fatalf("another reader gives %q, %v", got, err)
	}
	var g gunzip
	if got, err := g.inflate(nil, append(bytes.Clone(packed), packed...), 1000); err != nil || string(got) != string(src)+string(src) {
		t.Errorf("two members give %q, %v", got, err)
	}
	for n := range packed {
		if _, err := g.inflate(nil, packed[:n], 1000); !errors.Is(err, ErrFormat) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	packed[len(packed)-5] ^= 1
	if _, err := g.inflate(nil, packed, 1000); !errors.Is(err, ErrChecksum) {
		t.Errorf("wrong sum: %v", err)
	}
}

func TestS04MessageV0(t *testing.T) {
	for name, c := range map[string]struct {
		key, value []byte
		want       string
	}{
		"null and hello":  {nil, []byte("hello"), "87a77ab20000ffffffff0000000568656c6c6f"},
		"null and null":   {nil, nil, "a7ec68030000ffffffffffffffff"},
		"empty and empty": {[]byte{}, []byte{}, "e38a687600000000000000000000"},
	} {
		e := sealed(t, 0, Options{}, record.Record{Key: c.key, Value: c.value})
		if got := hex.EncodeToString(e[lengthEnd:]); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		got, err := read(e, 0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same(t, got, []record.Record{{Key: c.key, Value: c.value, LeaderEpoch: -1, Timestamp: record.NoTimestamp, TimestampType: record.NoTimestampType}})
		e[atMessageCRC] ^= 1
		if _, err := read(e, 0); !errors.Is(errOf(err), ErrChecksum) {
			t.Errorf("%s with a wrong sum: %v", name, err)
		}
	}
	for _, magic := range []byte{2, 3, 255} {
		inner := sealed(t, 0, Options{}, values("a")...)
		inner[atMagic] = magic
		finish(inner)
		if _, err := read(wrap(t, 0, 0, Gzip, inner), 0); !errors.Is(errOf(err), ErrFormat) {
			t.Errorf("magic %d inside a set: %v", magic, err)
		}
	}
}

func TestS05MessageSetEncode(t *testing.T) {
	hello := "0000000000000000" + "00000013" + "87a77ab20000ffffffff0000000568656c6c6f"
	two := []record.Record{{Value: []byte("hello")}, {Value: []byte("hello")}}
	if got := hex.EncodeToString(sealed(t, 0, Options{}, two...)); got != hello+hello {
		t.Errorf("two messages: %s", got)
	}
	for _, typ := range []Type{Gzip, Snappy} {
		e := sealed(t, 0, Options{Type: typ, SnappyRaw: true}, two...)
		s, ok, err := ParseSpan(e)
		if !ok || err != nil || s.Size != len(e) || s.Attributes != int16(typ) || s.Base != 0 {
			t.Fatalf("%v: %+v of %d bytes, %v", typ, s, len(e), err)
		}
		if key := int32(binary.BigEndian.Uint32(e[atMessageKeyV0:])); key != -1 {
			t.Errorf("%v: wrapper has a key of %d bytes", typ, key)
		}
		var f inflater
		inner, err := f.inflate(0, e[atMessageKeyV0+8:], typ, 1000, false)
		if err != nil || hex.EncodeToString(inner) != hello+hello || len(inner) != 62 {
			t.Errorf("%v: inflates to %x, %v", typ, inner, err)
		}
	}
	// Each message keeps its own key, inside a wrapper too.
	keyed := []record.Record{{Key: []byte("a")}, {Key: []byte("b")}}
	got, err := read(sealed(t, 0, Options{Type: Gzip}, keyed...), 0)
	if err != nil || string(got[0].Key) != "a" || string(got[1].Key) != "b" {
		t.Errorf("keys: %v %v", got, err)
	}
	var b Builder
	b.Reset(0)
	b.Append(&two[0], 1000)
	for _, typ := range []Type{Zstd, 5, 7} {
		if _, err := new(Compressor).Seal(nil, &b, Options{Type: typ}); !errors.Is(err, ErrCompression) {
			t.Errorf("%v: %v", typ, err)
		}
	}
}

func TestS06MessageSetDecode(t *testing.T) {
	pair := sealed(t, 0, Options{}, record.Record{Value: []byte("hello")}, record.Record{Value: []byte("hello")})
	var r Reader
	for n := 1; n < len(pair); n++ {
		r.Reset(pair[:n], 0)
		got, err := drain(&r)
		want := 0
		if n >= 31 {
			want = 1
		}
		if err != nil || len(got) != want {
			t.Fatalf("cut at %d: %d records, %v", n, len(got), err)
		}
		if tooSmall := len(got) == 0 && r.Tail() > 0; tooSmall != (n < 31) {
			t.Errorf("cut at %d: too small %v", n, tooSmall)
		}
	}
	bad := bytes.Clone(pair)
	bad[61] ^= 1
	r.Reset(bad, 0)
	if got, err := drain(&r); len(got) != 1 || !errors.Is(errOf(err), ErrChecksum) {
		t.Errorf("last byte flipped: %d records, %v", len(got), err)
	}
	r.Reset(nil, 0)
	if got, err := drain(&r); len(got) != 0 || err != nil || r.Tail() != 0 {
		t.Errorf("empty set: %d records, %v", len(got), err)
	}
	// The same inside a wrapper: what is cut short ends the set.
	for n := 0; n < len(pair); n++ {
		if got, err := read(wrap(t, 0, 0, Gzip, pair[:n]), 0); err != nil || len(got) != n/31 {
			t.Errorf("inner set cut at %d: %d records, %v", n, len(got), err)
		}
	}
	if got, err := read(wrap(t, 0, 0, Snappy, bad), 0); len(got) != 1 || !errors.Is(errOf(err), ErrChecksum) {
		t.Errorf("inner byte flipped: %d records, %v", len(got), err)
	}
	// Inner offsets surface unchanged whatever the wrapper's is.
	inner := bytes.Clone(pair)
	inner[7], inner[31+7] = 70, 71
	got, err := read(wrap(t, 0, 90, Gzip, inner), 0)
	if err != nil || len(got) != 2 || got[0].Offset != 70 || got[1].Offset != 71 {
		t.Errorf("inner offsets %v, %v", offsets(got), err)
	}
	if got, err := read(wrap(t, 0, 90, Gzip, inner), 71); err != nil || len(got) != 1 || got[0].Offset != 71 {
		t.Errorf("from 71: %v, %v", offsets(got), err)
	}
	// Nothing is dropped for a compression nobody knows.
	unknown := wrap(t, 0, 0, Gzip, pair)
	unknown[atMessageAttr] = 5
	if _, err := read(finish(unknown), 0); !errors.Is(errOf(err), ErrCompression) {
		t.Errorf("compression 5: %v", err)
	}
}

// errOf is err without the trap of a nil pointer in an interface.
func errOf(err *CorruptError) error {
	if err == nil {
		return nil
	}
	return err
}
