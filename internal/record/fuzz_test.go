package record

import (
	"bytes"
	"testing"
)

// FuzzHeaders walks any bytes as headers: no more come than are in them, and what
// is added to sound ones is the last.
func FuzzHeaders(f *testing.F) {
	f.Add([]byte(nil), []byte("a"), []byte("b"))
	f.Add(Headers{}.Append([]byte("x"), nil).Append(nil, []byte{}).Raw, []byte{}, []byte(nil))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), []byte("a"), []byte("b"))
	f.Add([]byte("\x02\xfe\xff\xff\xff\x0f"), []byte("a"), []byte("b"))
	f.Fuzz(func(t *testing.T, raw, name, value []byte) {
		h := Headers{Raw: raw}
		n, sound := 0, Headers{}
		for k, v := range h.All() {
			if n++; n > len(raw) || len(k)+len(v) > len(raw) {
				t.Fatalf("%x: the %d-th is %q, %q", raw, n, k, v)
			}
			sound = sound.Append(k, v)
		}
		if !bytes.Equal(sound.Raw, raw) {
			return // nobody would have let it through, or written it so
		}
		i := 0
		for k, v := range h.Append(name, value).All() {
			if i++; i == n+1 && (!bytes.Equal(k, name) || !bytes.Equal(v, value) || (v == nil) != (value == nil)) {
				t.Fatalf("%x: %q, %q was added, and %q, %q is there", raw, name, value, k, v)
			}
		}
	})
}
