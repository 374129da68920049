package input

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"kafkactl/internal/record"
)

func packed(t *testing.T, how, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch how {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	case "lz4":
		w = lz4.NewWriter(&b)
	case "snappy":
		w = snappy.NewBufferedWriter(&b)
	}
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var suffixes = map[string]string{"gzip": "f.gz", "zstd": "f.zst", "lz4": "f.lz4", "snappy": "f.sz"}

// values reads every value, and what ended them.
func values(t *testing.T, files []File) (string, error) {
	t.Helper()
	l := NewLines(files, Plain())
	defer l.Close()
	var got strings.Builder
	var r record.Record
	for {
		if _, err := pull(t, l, &r); err != nil {
			return got.String(), err
		}
		got.Write(r.Value)
		got.WriteByte('\n')
	}
}

func TestCompressedMembersAreOneStream(t *testing.T) {
	long := strings.Repeat("a line of some length\n", 50000)
	for how, name := range suffixes {
		data := append(packed(t, how, long+"ha"), packed(t, how, "lf\nlast\n")...)
		got, err := values(t, Decompress([]File{from(name, bytes.NewReader(data))}, "auto"))
		if err != io.EOF || got != long+"half\nlast\n" {
			t.Errorf("%s: %d bytes, %v", how, len(got), err)
		}
	}
}

func TestStreamCutOffIsNoEnd(t *testing.T) {
	for how, name := range suffixes {
		data := packed(t, how, "one\ntwo\n")
		for n := range data {
			if how == "snappy" && n == 10 {
				continue // a whole chunk: this framing has no mark of its end
			}
			_, err := values(t, Decompress([]File{from(name, bytes.NewReader(data[:n]))}, "auto"))
			if err == nil || errors.Is(err, io.EOF) || !strings.HasPrefix(err.Error(), name+": "+how+": ") {
				t.Errorf("%s cut to %d of %d bytes: %v", how, n, len(data), err)
			}
		}
		data[len(data)-2] ^= 0xff
		if _, err := values(t, Decompress([]File{from(name, bytes.NewReader(data))}, "auto")); errors.Is(err, io.EOF) {
			t.Errorf("%s corrupt: %v", how, err)
		}
	}
}

func TestCompressionIsGuessedByNameAlone(t *testing.T) {
	data := packed(t, "gzip", "text\n")
	for _, c := range []struct{ name, how, want string }{
		{StdinName, "auto", string(data) + "\n"},
		{"f.gz", "none", string(data) + "\n"},
		{StdinName, "gzip", "text\n"},
		{"f.GZ", "auto", "text\n"},
	} {
		got, err := values(t, Decompress([]File{from(c.name, bytes.NewReader(data))}, c.how))
		if err != io.EOF || got != c.want {
			t.Errorf("%s %s: %q, %v", c.name, c.how, got, err)
		}
	}
}
