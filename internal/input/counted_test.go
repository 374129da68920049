package input

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgressCountsBytesAsTheyLieThere(t *testing.T) {
	dir := t.TempDir()
	plain, zipped := filepath.Join(dir, "a"), filepath.Join(dir, "b.gz")
	text := strings.Repeat("line\n", 10_000)
	small := packed(t, "gzip", text)
	for name, b := range map[string][]byte{plain: []byte("one\ntwo"), zipped: small} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files([]string{plain, zipped}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, p := Counted(files)
	want := int64(len(small) + 7)
	if p.Total() != want || p.Files() != 2 || p.Read() != 0 || p.Begun() != 0 {
		t.Errorf("before: %d bytes of %d, file %d of %d", p.Read(), p.Total(), p.Begun(), p.Files())
	}
	got := 0
	for _, f := range Decompress(files, "auto") {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got += len(b)
	}
	if got != len(text)+7 || p.Read() != want || p.Begun() != 2 {
		t.Errorf("after: %d bytes out, %d read of %d, file %d", got, p.Read(), want, p.Begun())
	}

	files, err = Files([]string{plain, "-", zipped}, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, p := Counted(files); p.Total() != -1 {
		t.Errorf("a pipe's size was taken to be known: %d", p.Total())
	}
}
