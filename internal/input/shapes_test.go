package input

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"kafkactl/internal/jsonl"
	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

func outside() Outside { return Outside{Partition: -1, Timestamp: record.NoTimestamp} }

// told gives each record as WHERE key=value, or WHERE !error where one is spoilt,
// and what ended them.
func told(t *testing.T, in Source) (list []string, end error) {
	t.Helper()
	defer in.Close()
	for {
		var r record.Record
		n, err := wait(t, in, &r)
		var bad *produce.RecordError
		switch {
		case errors.As(err, &bad):
			list = append(list, in.Where(n)+" !"+bad.Err.Error())
		case err != nil:
			return list, err
		default:
			list = append(list, in.Where(n)+" "+show(r.Key)+"="+show(r.Value))
		}
	}
}

func same(t *testing.T, name string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestJSONArraysAreTheirElements(t *testing.T) {
	read := func(s string, one bool) ([]string, error) {
		var src io.Reader = strings.NewReader(s)
		if one {
			src = iotest.OneByteReader(src)
		}
		return told(t, NewJSON(Arrays([]File{from("f", src)}), jsonl.Decoder{}, outside(), false))
	}
	for _, one := range []bool{false, true} {
		got, err := read(" [\n {\"value\":\"a,]\\\"b\",\n  \"key\": \"k\"},{\"value\":null} , {\"value\":\"x\", \"headers\":[{\"name\":\"h\",\"value\":\"1\"}]}\n]\n \n", one)
		same(t, "pretty", got, `f:record 1 "k"="a,]\"b"`, `f:record 2 null=null`, `f:record 3 null="x"`)
		if err != io.EOF {
			t.Error(err)
		}
		if got, err := read("[]", one); len(got) != 0 || err != io.EOF {
			t.Errorf("an empty array: %v, %v", got, err)
		}
		got, err = read("\n{\"value\":\"a\"}\n{\"value\":\"b\"}\n", one)
		same(t, "lines", got[1:], `f:2 null="a"`, `f:3 null="b"`)
		if err != io.EOF {
			t.Error(err)
		}
		for _, text := range []string{"\ufeff{\"value\":\"a\"}\n", "\ufeff[{\"value\":\"a\"}]"} {
			if got, err = read(text, one); len(got) != 1 || !strings.HasSuffix(got[0], `null="a"`) || err != io.EOF {
				t.Errorf("a byte order mark: %q, %v", got, err)
			}
		}
		got, _ = read(`[{"value":"a"}, 5, {"value":"b"}]`, one)
		if len(got) != 3 || !strings.HasPrefix(got[1], "f:record 2 !") {
			t.Errorf("a bad element: %q", got)
		}
		for text, want := range map[string]error{
			`[{"value":"a"}`: errArrayCut, `[`: errArrayCut, `[{"value":"a"},`: errArrayCut, `[{"value":"a`: errArrayCut,
			`[{"value":"a"},,{"value":"b"}]`: errArrayEmpty, `[,]`: errArrayEmpty, `[{"value":"a"},]`: errArrayEmpty,
			`[{"value":"a"}] {}`: errArrayTail, "[{\"value\":\"a\nb\"}]": errArrayLine,
		} {
			if _, err := read(text, one); !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "f: ") {
				t.Errorf("%s: got %v, want f: %v", text, err, want)
			}
		}
	}
}

// FuzzArrays compares the splitter with encoding/json.
func FuzzArrays(f *testing.F) {
	for _, s := range []string{`[1,2]`, `[ {"a":[1,{"b":"]"}]} , "x,y" ]`, `[]`, `["\\\"",null]`, "[\n1\n,\n2\n]\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want []json.RawMessage
		trimmed := bytes.TrimLeft(b, " \t\r\n")
		if !json.Valid(b) || len(trimmed) == 0 || trimmed[0] != '[' || json.Unmarshal(b, &want) != nil {
			return
		}
		src, err := Arrays([]File{from("f", bytes.NewReader(b))})[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(src)
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		lines := bytes.SplitAfter(got, []byte("\n"))
		lines = lines[:len(lines)-1]
		if len(lines) != len(want) {
			t.Fatalf("%q: %d elements, want %d", b, len(lines), len(want))
		}
		for i := range want {
			var x, y bytes.Buffer
			if json.Compact(&x, lines[i]) != nil || json.Compact(&y, want[i]) != nil || !bytes.Equal(x.Bytes(), y.Bytes()) {
				t.Fatalf("%q: element %d is %q, want %q", b, i, lines[i], want[i])
			}
		}
	})
}

func TestCSVRowsAreObjectsOfTheirColumns(t *testing.T) {
	read := func(c CSV, texts ...string) ([]string, error) {
		var files []File
		for i, s := range texts {
			files = append(files, from(string(rune('f'+i)), strings.NewReader(s)))
		}
		return told(t, NewCSV(files, c, outside()))
	}
	got, err := read(CSV{}, "\ufeffid,name,note\n1,Ann,\"a, \"\"b\"\"\r\nc\"\r\n\n2,Bob,\n")
	same(t, "plain", got, `f:record 1 null="{\"id\":\"1\",\"name\":\"Ann\",\"note\":\"a, \\\"b\\\"\\r\\nc\"}"`, `f:record 2 null="{\"id\":\"2\",\"name\":\"Bob\",\"note\":\"\"}"`)
	if err != io.EOF {
		t.Error(err)
	}
	got, err = read(CSV{Comma: '\t', Key: "name"}, "name\tid\nAnn\t1\n\t2\n", "id\tname\n3\tCid")
	same(t, "tabs and a key", got, `f:record 1 "Ann"="{\"id\":\"1\"}"`, `f:record 2 ""="{\"id\":\"2\"}"`, `g:record 1 "Cid"="{\"id\":\"3\"}"`)
	if err != io.EOF {
		t.Error(err)
	}
	got, _ = read(CSV{}, "a,b\n1,2\n3\n4,\"5\"6\n7,\xff\n8,9\n")
	same(t, "bad rows", got, `f:record 1 null="{\"a\":\"1\",\"b\":\"2\"}"`, `f:record 2 !line 3: wrong number of fields`,
		`f:record 3 !line 4: extraneous or missing " in quoted-field`, `f:record 4 !line 5: column "b" is not valid UTF-8`, `f:record 5 null="{\"a\":\"8\",\"b\":\"9\"}"`)
	got, _ = read(CSV{}, "\ufeff\"a\",b\r\n1,x\"y\r\n2,z\r\n3,\"p\r\nq\"\r\n\"4\"x,\"\r\n5,6\r\n")
	same(t, "stray quotes", got, `f:record 1 !line 2: bare " in non-quoted-field`, `f:record 2 null="{\"a\":\"2\",\"b\":\"z\"}"`,
		`f:record 3 null="{\"a\":\"3\",\"b\":\"p\\r\\nq\"}"`, `f:record 4 !line 6: extraneous or missing " in quoted-field`, `f:record 5 null="{\"a\":\"5\",\"b\":\"6\"}"`)
	got, _ = read(CSV{}, "a,b\n\"1\"\r,\"\n\"p\r\nq\",2\n")
	same(t, "a carriage return behind a quote", got, `f:record 1 !line 2: extraneous or missing " in quoted-field`, `f:record 2 null="{\"a\":\"p\\r\\nq\",\"b\":\"2\"}"`)
	if got, err := read(CSV{Key: "a"}, "a\n1\n"); len(got) != 1 || got[0] != `f:record 1 "1"="{}"` || err != io.EOF {
		t.Errorf("a key alone: %q, %v", got, err)
	}
	for text, want := range map[string]string{
		"a,a\n1,2\n": `f: header: two columns are called "a"`, "a,\n1,2\n": "f: header: column 2 has no name", "b\n1\n": `f: header: no column is called "a"`,
	} {
		if _, err := read(CSV{Key: "a"}, text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// FuzzQuoting holds that what stands before encoding/csv adds carriage returns
// inside quotes and does nothing else: the rows are the same, good and bad.
func FuzzQuoting(f *testing.F) {
	for _, s := range []string{"a,b\r\n1,x\"y\r\n2,z\r\n", "\"a\"x,\"\r\nb\r\n", "\"a\r\n\"\"b\",c\n\"", "\"a\"\r\"b\"\r\n\r\n", "\"a\"…\"b\r\n\"…\xe2\x80…", "\"\r\r\n\""} {
		f.Add(s, false)
		f.Add(s, true)
	}
	added := regexp.MustCompile(`(\\r)+\\n`)
	f.Fuzz(func(t *testing.T, s string, wide bool) {
		comma := ','
		if wide {
			comma = '…'
		}
		if strings.HasPrefix(s, "\ufeff") {
			return
		}
		rows := func(src io.Reader) (list []string) {
			in := csv.NewReader(src)
			in.Comma = comma
			for {
				row, err := in.Read()
				if err == io.EOF {
					return list
				}
				var bad *csv.ParseError
				if errors.As(err, &bad) {
					row = append(row, fmt.Sprint("line ", bad.Line, ": ", bad.Err))
				}
				list = append(list, added.ReplaceAllString(fmt.Sprintf("%q", row), `\n`))
			}
		}
		ours := rows(newQuoting(bufio.NewReader(strings.NewReader(s)), comma))
		same(t, fmt.Sprintf("%q", s), ours, rows(strings.NewReader(s))...)
	})
}

// Rows of a slow pipe are records before the pipe has more.
func TestCSVRowsLeaveAsTheyArrive(t *testing.T) {
	pr, pw := io.Pipe()
	in := NewCSV([]File{from("f", pr)}, CSV{}, outside())
	defer in.Close()
	go pw.Write([]byte("a\n1\n"))
	var r record.Record
	if _, err := wait(t, in, &r); err != nil || string(r.Value) != `{"a":"1"}` {
		t.Errorf("%s, %v", r.Value, err)
	}
	pw.Close()
}

func TestWholeFilesAreRecords(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for name, text := range map[string]string{"a.bin": "x\ny\x00\n", "b.bin": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names = append(names, filepath.Join(dir, "a.bin"), filepath.Join(dir, "b.bin"))
	files, err := Files(names, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, end := told(t, NewWhole(files, outside(), true))
	same(t, "two", got, names[0]+` "a.bin"="x\ny\x00\n"`, names[1]+` "b.bin"=""`)
	if end != io.EOF {
		t.Error(end)
	}
	files[0].Size = DefaultMax + 1
	files[0].Open = func() (io.ReadCloser, error) { t.Error("it was opened"); return nil, io.EOF }
	if got, _ := told(t, NewWhole(files, outside(), false)); len(got) != 2 || !strings.Contains(got[0], "!record of 104857601 bytes") {
		t.Errorf("too large: %q", got)
	}
}
