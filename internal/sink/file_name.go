package sink

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"

	"kafkactl/internal/format"
	"kafkactl/internal/record"
)

// Template is the names of the files that records go to: text with tokens of the
// format language. What a record brings into a name is made safe: it is never
// more than a part of one element, and can be read back.
type Template struct {
	items    []nameItem
	suffix   string // what a number goes before, as in .jsonl.gz
	root     string // the directory that is the same for all records
	first    bool   // the name has the offset of the file's first record
	byTime   bool
	windows  bool // names are made fit for that system
	perMilli bool // names may differ between two milliseconds of one second
}

// nameItem is literal text or a token.
type nameItem struct {
	verb   byte // 0: text
	text   string
	shown  *format.Program
	header string
}

// offsetMark stands in a file's key for the offset that its name gets. A record
// cannot bring that byte in.
const offsetMark = 0

// ParseTemplate reads a template. Times are in loc. A fault is a
// *format.SyntaxError.
func ParseTemplate(text string, loc *time.Location) (*Template, error) {
	t := &Template{windows: runtime.GOOS == "windows"}
	if t.windows {
		text = strings.ReplaceAll(text, `\`, "/")
	}
	if text == "" || strings.HasSuffix(text, "/") {
		return nil, &format.SyntaxError{At: len(text) + 1, Msg: "there is no name of a file in it"}
	}
	for i := 0; i < len(text); {
		n := strings.IndexByte(text[i:], '%')
		if n < 0 {
			t.literal(text[i:])
			break
		}
		t.literal(text[i : i+n])
		i += n
		if strings.HasPrefix(text[i:], "%%") {
			t.literal("%")
			i += 2
			continue
		}
		size, err := t.token(text[i:], loc)
		if err != nil {
			err.At += i
			return nil, err
		}
		i += size
	}
	for _, it := range t.items {
		if it.verb == 0 && strings.IndexByte(it.text, 0) >= 0 {
			return nil, &format.SyntaxError{At: 1, Msg: "a name holds no NUL byte"}
		}
	}
	t.suffix = suffixOf(t.tail())
	if t.items[0].verb == 0 {
		t.root = path.Dir(t.items[0].text + "x")
	} else {
		t.root = "."
	}
	return t, nil
}

func (t *Template) literal(s string) {
	if s == "" {
		return
	}
	if n := len(t.items); n > 0 && t.items[n-1].verb == 0 {
		t.items[n-1].text += s
		return
	}
	t.items = append(t.items, nameItem{text: s})
}

// token reads the one that s begins with, and says how long it is.
func (t *Template) token(s string, loc *time.Location) (int, *format.SyntaxError) {
	const hint = "%t topic, %p partition, %T{%Y-%m-%d} time, %k key, %h{NAME} header, %o first offset; %% is a percent sign"
	if len(s) < 2 {
		return 0, &format.SyntaxError{At: 1, Msg: "a lone % at the end", Hint: hint}
	}
	it := nameItem{verb: s[1]}
	if strings.IndexByte("tpoTkh", it.verb) < 0 {
		return 0, &format.SyntaxError{At: 1, Msg: fmt.Sprintf("%q is no part of a file's name", s[:2]), Hint: hint}
	}
	size := 2
	for size < len(s) && s[size] == '{' {
		end := strings.IndexByte(s[size:], '}')
		if end < 0 {
			return 0, &format.SyntaxError{At: size + 1, Msg: "{ opens a modifier that does not end"}
		}
		if it.verb == 'h' && size == 2 {
			it.header = s[3 : size+end]
		}
		size += end + 1
	}
	if it.verb == 'h' && size == 2 {
		return 0, &format.SyntaxError{At: 1, Msg: "%h in a name needs the header's, as in %h{source}"}
	}
	var err error
	if it.shown, err = format.Compile(s[:size], loc); err != nil {
		if se, ok := err.(*format.SyntaxError); ok { //nolint:errorlint // Compile gives it as it is
			return 0, se
		}
		return 0, &format.SyntaxError{At: 1, Msg: err.Error()}
	}
	if strings.IndexByte("tpo", it.verb) >= 0 && size > 2 {
		return 0, &format.SyntaxError{At: 3, Msg: fmt.Sprintf("%s takes no modifier in a name", s[:2])}
	}
	if it.verb == 'T' {
		t.byTime = true
		t.perMilli = t.perMilli || size == 2 || strings.Contains(s[:size], "%f") ||
			strings.Contains(s[:size], "rfc3339") || strings.Contains(s[:size], "{big") || strings.Contains(s[:size], "{little") || strings.Contains(s[:size], "{varint")
	}
	t.first = t.first || it.verb == 'o'
	t.items = append(t.items, it)
	return size, nil
}

// tail is the literal end of the last element.
func (t *Template) tail() string {
	last := t.items[len(t.items)-1]
	if last.verb != 0 {
		return ""
	}
	tail := last.text[strings.LastIndexByte(last.text, '/')+1:]
	if len(tail) == len(last.text) && len(t.items) > 1 {
		return tail
	}
	return strings.TrimLeft(tail, ".") // a dot in front is no suffix
}

// suffixOf is the last suffix of a name, with that of a compression behind it.
func suffixOf(tail string) string {
	rest := tail
	for _, c := range []string{".gz", ".zst"} {
		rest = strings.TrimSuffix(rest, c)
	}
	if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		return tail[i:]
	}
	return tail[len(rest):]
}

// compressionOf is the part of a suffix that says how a file is compressed.
func compressionOf(suffix string) string {
	for _, c := range []string{".gz", ".zst"} {
		if strings.HasSuffix(suffix, c) {
			return c
		}
	}
	return ""
}

// Suffix is what all names end in, from the last dot, that of a compression not
// counted, as in .jsonl.gz.
func (t *Template) Suffix() string { return t.suffix }

// Root is the directory that is the same for all records.
func (t *Template) Root() string { return t.root }

// key adds r's file name without its number, and with a mark for its offset.
func (t *Template) key(dst []byte, r *record.Record) []byte {
	var buf [64]byte
	for i := range t.items {
		it := &t.items[i]
		switch it.verb {
		case 0:
			dst = append(dst, it.text...)
		case 't':
			dst = t.safe(dst, []byte(r.Topic))
		case 'p':
			dst = strconv.AppendInt(dst, int64(r.Partition), 10)
		case 'o':
			dst = append(dst, offsetMark)
		case 'T':
			dst = t.clock(dst, it.shown.Append(buf[:0], r))
		default:
			b := r.Key
			if it.verb == 'h' {
				b = lastHeader(r, it.header)
			}
			if b == nil {
				dst = append(dst, "%null"...)
				continue
			}
			dst = t.safe(dst, it.shown.Append(buf[:0], r))
		}
	}
	return dst
}

func lastHeader(r *record.Record, name string) (value []byte) {
	for n, v := range r.Headers.All() {
		if string(n) == name {
			value = v
		}
	}
	return value
}

// name is the n-th file's of a key whose first record is at offset; 0 gives no
// number.
func (t *Template) name(key string, offset int64, n int) string {
	key = strings.ReplaceAll(key, string(rune(offsetMark)), strconv.FormatInt(offset, 10))
	elements := strings.Split(key, "/")
	for i, e := range elements {
		suffix := ""
		if i == len(elements)-1 {
			suffix = t.suffix
		}
		elements[i] = t.element(e, suffix)
	}
	name := strings.Join(elements, "/")
	if n == 0 {
		return name
	}
	stem := strings.TrimSuffix(name, t.suffix)
	return fmt.Sprintf("%s.%06d%s", stem, n, t.suffix)
}

// nameMost is how long an element may be: systems take 255 bytes, and a number
// and the name of an unfinished file need their room.
const nameMost = 220

// element makes one fit: a long one is cut, and a digest of all of it keeps it
// apart from others.
func (t *Template) element(e, suffix string) string {
	if len(e) > nameMost {
		sum := sha256.Sum256([]byte(e))
		digest := "%~" + hex.EncodeToString(sum[:12])
		if len(suffix) > 40 {
			suffix = ""
		}
		cut := nameMost - len(digest) - len(suffix)
		for cut > 0 && e[cut]&0xc0 == 0x80 { // within a character
			cut--
		}
		e = e[:cut] + digest + suffix
	}
	if t.windows {
		e = windowsName(e)
	}
	return e
}
