package record

import (
	"slices"
	"testing"
)

func TestHeadersKeepOrderRepeatsAndNulls(t *testing.T) {
	var h Headers
	if h.Count() != 0 {
		t.Fatalf("zero value counts %d headers", h.Count())
	}
	h = h.Append([]byte("a"), []byte("1")).Append([]byte("b"), nil).Append([]byte("a"), []byte{}).Append(nil, []byte("x"))
	if h.Count() != 4 {
		t.Fatalf("count %d, want 4", h.Count())
	}
	var got []string
	for name, value := range h.All() {
		s := string(name) + "=" + string(value)
		if value == nil {
			s = string(name) + " null"
		}
		got = append(got, s)
	}
	if want := []string{"a=1", "b null", "a=", "=x"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestHeadersStopAtDamage(t *testing.T) {
	whole := Headers{}.Append([]byte("name"), []byte("value")).Raw
	for cut := range len(whole) {
		for range (Headers{Raw: whole[:cut]}).All() {
			t.Errorf("cut at %d still yields a header", cut)
		}
	}
}
