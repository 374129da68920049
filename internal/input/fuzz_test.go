package input

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// FuzzCompressed has every decompressor read anything. What comes out is bounded
// by the reader, and what cannot be read is an error rather than an end.
func FuzzCompressed(f *testing.F) {
	for _, how := range []string{"gzip", "zstd", "snappy", "lz4"} {
		f.Add(how, []byte("\x1f\x8b\x08\x00"))
		f.Add(how, []byte("\x28\xb5\x2f\xfd\x04\x00\x11\x00\x00a\n\x01\x02\x03\x04"))
		f.Add(how, []byte("\xff\x06\x00\x00sNaPpY\x01\x05\x00\x00\x00\x00\x00\x00a"))
		f.Add(how, []byte("\x04\x22\x4d\x18\x60\x40\x82\x01\x00\x00\x80a\x00\x00\x00\x00"))
	}
	f.Fuzz(func(t *testing.T, how string, b []byte) {
		switch how {
		case "gzip", "zstd", "snappy", "lz4":
		default:
			return
		}
		read := func(piece int) ([]byte, error) {
			src, err := Decompress([]File{from("f", bytes.NewReader(b))}, how)[0].Open()
			if err != nil {
				return nil, err
			}
			defer src.Close()
			var out []byte
			page := make([]byte, piece)
			for len(out) < 1<<20 {
				n, err := src.Read(page)
				out = append(out, page[:n]...)
				if errors.Is(err, io.EOF) {
					return out, nil
				}
				if err != nil {
					return out, err
				}
			}
			return out[:1<<20], nil
		}
		whole, err := read(64 << 10)
		pieces, again := read(7)
		if (err == nil) != (again == nil) {
			t.Fatalf("%s %x: %v in large pieces, %v in small ones", how, b, err, again)
		}
		if err == nil && !bytes.Equal(whole, pieces) {
			t.Fatalf("%s %x: %q in large pieces, %q in small ones", how, b, whole, pieces)
		}
	})
}

// FuzzCSV compares the rows with encoding/csv: each is an object of its columns.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\n\"x\ny\"\n", "a,b\n1\n", "k,v\r\n\"\"\"\",\xff\r\n", "\ufeffa\n1", "a,a\n1,2\n", "\n\na\n\n1\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := NewCSV([]File{from("f", bytes.NewReader(b))}, CSV{}, outside())
		var rows []string
		var failed error
		for failed == nil {
			var r record.Record
			_, err := in.Next(&r)
			switch {
			case errors.Is(err, io.EOF):
				failed = io.EOF
			case errors.Is(err, produce.ErrIdle):
				<-in.Ready()
			case err != nil:
				failed = err
			default:
				if !json.Valid(r.Value) {
					t.Fatalf("%q: the value %q is not JSON", b, r.Value)
				}
				rows = append(rows, string(r.Value))
			}
		}
		all, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff")))).ReadAll()
		if err != nil || len(all) == 0 || !errors.Is(failed, io.EOF) {
			return
		}
		if len(rows) != len(all)-1 {
			t.Fatalf("%q: %d rows, want %d: %q", b, len(rows), len(all)-1, rows)
		}
	})
}
