package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"
	"testing/iotest"
)

// held counts what v keeps: each element and byte of it must have come from a
// byte of the message.
func held(v reflect.Value) int {
	n := 0
	switch v.Kind() {
	case reflect.String:
		n = v.Len()
	case reflect.Pointer:
		if !v.IsNil() {
			n = held(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += held(v.Field(i))
		}
	case reflect.Slice:
		n = v.Len()
		for i := range v.Len() {
			n += held(v.Index(i))
		}
	}
	return n
}

// FuzzDecodeResponse holds that bytes from memory and from a socket decode
// alike, that nothing is made of claims alone, and that what was understood
// survives being encoded and decoded again.
func FuzzDecodeResponse(f *testing.F) {
	for _, api := range APIs() {
		for v := api.Min; v <= api.Max; v++ {
			resp := api.Response()
			newFiller(int(api.Key), int(v), 5).message(resp, v, api.Flex)
			f.Add(int16(api.Key), v, bodyOf(f, resp, v))
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		api, err := speak(Key(key), version)
		if err != nil {
			return
		}
		got, socket, streamed := api.Response(), api.Response(), api.Response()
		err = Decode(NewBytesReader(body), version, got, nil)
		src := func() *Reader {
			return NewReader(bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(body)), 16), len(body))
		}
		if e := Decode(src(), version, socket, nil); text(e) != text(err) || err == nil && !reflect.DeepEqual(got, socket) {
			t.Fatalf("memory: %+v, %v\nsocket: %+v, %v", got, err, socket, e)
		}
		if e := Decode(src(), version, streamed, func([]any, *Body) error { return nil }); (e == nil) != (err == nil) {
			t.Fatalf("whole: %v\nstreamed: %v", err, e)
		}
		if n := held(reflect.ValueOf(got)); n > len(body) {
			t.Fatalf("%d bytes became %d", len(body), n)
		}
		if err != nil || api.Key == APIVersions && got.(*ApiVersionsResponse).ErrorCode == UnsupportedVersion {
			return
		}
		var first, second Frame
		if err := AppendResponse(&first, got, version, 7); err != nil {
			t.Fatal(err)
		}
		again := api.Response()
		r := NewBytesReader(flat(&first)[4:])
		if _, err := DecodeResponseHeader(r, api.Key, version); err != nil {
			t.Fatal(err)
		}
		if err := Decode(r, version, again, nil); err != nil {
			t.Fatal(err)
		}
		if err := AppendResponse(&second, again, version, 7); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(flat(&first), flat(&second)) {
			t.Fatalf("%x\n%x", flat(&first), flat(&second))
		}
	})
}

// FuzzDecodeRequest holds that no request harms a scripted broker, and that one
// that we could have sent is encoded to what it was.
func FuzzDecodeRequest(f *testing.F) {
	for _, api := range APIs() {
		for v := api.Min; v <= api.Max; v++ {
			req := api.Request()
			newFiller(int(api.Key), int(v), 5).message(req, v, api.Flex)
			var frame Frame
			if err := AppendRequest(&frame, req, v, 7, "kc"); err != nil {
				f.Fatal(err)
			}
			f.Add(flat(&frame)[4:])
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, req, err := DecodeRequest(NewBytesReader(frame))
		if req != nil {
			if n := held(reflect.ValueOf(req)); n > len(frame) {
				t.Fatalf("%d bytes became %d", len(frame), n)
			}
		}
		if err != nil {
			return
		}
		if h.Key != Key(binary.BigEndian.Uint16(frame)) || h.ClientID == nil {
			return
		}
		var first, second Frame
		if err := AppendRequest(&first, req, h.Version, h.Correlation, *h.ClientID); err != nil {
			return // duplicates, say, which brokers may be sent but we do not send
		}
		_, again, err := DecodeRequest(NewBytesReader(flat(&first)[4:]))
		if err != nil {
			t.Fatal(err)
		}
		if err := AppendRequest(&second, again, h.Version, h.Correlation, *h.ClientID); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(flat(&first), flat(&second)) {
			t.Fatalf("%x\n%x", flat(&first), flat(&second))
		}
	})
}
