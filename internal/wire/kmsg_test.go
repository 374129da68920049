package wire

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The reference codec is an independent one: franz-go's, generated from a
// schema of its own.

const rounds = 200

// flat is the frame as it goes over the wire.
func flat(f *Frame) []byte {
	var b []byte
	for _, p := range f.Buffers(nil) {
		b = append(b, p...)
	}
	return b
}

// everyVersion runs f for each API and version that the reference speaks too.
func everyVersion(t *testing.T, f func(t *testing.T, api API, version int16)) {
	for _, api := range APIs() {
		last := min(api.Max, kmsg.RequestForKey(int16(api.Key)).MaxVersion())
		if last != api.Max && api.Key != InitProducerID {
			t.Errorf("%v: the reference ends at version %d", api.Key, last)
		}
		for v := api.Min; v <= last; v++ {
			t.Run(fmt.Sprintf("%v/%d", api.Key, v), func(t *testing.T) { f(t, api, v) })
		}
	}
}

func TestRequestsAreWhatTheReferenceCodecWrites(t *testing.T) {
	everyVersion(t, func(t *testing.T, api API, version int16) {
		fill := newFiller(int(api.Key), int(version), 1)
		formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("kc"))
		var f Frame
		for range rounds {
			req := api.Request()
			fill.message(req, version, api.Flex)
			if err := AppendRequest(&f, req, version, 7, "kc"); err != nil {
				t.Fatal(err)
			}
			got := flat(&f)

			ref := kmsg.RequestForKey(int16(api.Key))
			ref.SetVersion(version)
			header := 4 + 2 + 2 + 4 + 2 + len("kc")
			if version >= api.Flex {
				header++
			}
			if err := ref.ReadFrom(got[header:]); err != nil {
				t.Fatalf("the reference cannot read %+v: %v", req, err)
			}
			same(t, version, api.Flex, req, ref)
			if want := formatter.AppendRequest(nil, ref, 7); !bytes.Equal(got, want) {
				t.Fatalf("%+v:\n got %x\nwant %x", req, got, want)
			}

			h, back, err := DecodeRequest(NewBytesReader(got[4:]))
			if err != nil {
				t.Fatal(err)
			}
			if h.Key != api.Key || h.Version != version || h.Correlation != 7 || *h.ClientID != "kc" {
				t.Fatalf("header %+v", h)
			}
			if !reflect.DeepEqual(back, req) {
				t.Fatalf("\n got %+v\nwant %+v", back, req)
			}
		}
	})
}

func TestResponsesAreWhatTheReferenceCodecWrites(t *testing.T) {
	everyVersion(t, func(t *testing.T, api API, version int16) {
		fill := newFiller(int(api.Key), int(version), 2)
		var f Frame
		reused := api.Response()
		for range rounds {
			resp := api.Response()
			fill.message(resp, version, api.Flex)
			if r, ok := resp.(*ApiVersionsResponse); ok && r.ErrorCode == UnsupportedVersion {
				continue
			}
			if err := AppendResponse(&f, resp, version, 7); err != nil {
				t.Fatal(err)
			}
			got := flat(&f)
			body := got[8:]
			if version >= api.Flex && api.Key != APIVersions {
				body = got[9:]
			}

			ref := kmsg.ResponseForKey(int16(api.Key))
			ref.SetVersion(version)
			if err := ref.ReadFrom(body); err != nil {
				t.Fatalf("the reference cannot read %+v: %v", resp, err)
			}
			same(t, version, api.Flex, resp, ref)
			if want := ref.AppendTo(nil); !bytes.Equal(body, want) {
				t.Fatalf("%+v:\n got %x\nwant %x", resp, body, want)
			}

			r := NewBytesReader(got[4:])
			if n, err := DecodeResponseHeader(r, api.Key, version); err != nil || n != 7 {
				t.Fatal(n, err)
			}
			// Into the same value as the round before: nothing stale survives.
			if err := Decode(r, version, reused, nil); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(reused, resp) {
				t.Fatalf("\n got %+v\nwant %+v", reused, resp)
			}
		}
	})
}

func TestWhatTheReferenceCodecWritesIsReadFieldByField(t *testing.T) {
	everyVersion(t, func(t *testing.T, api API, version int16) {
		fill := newFiller(int(api.Key), int(version), 3)
		formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("kc"))
		resp := api.Response()
		for range rounds {
			refReq := kmsg.RequestForKey(int16(api.Key))
			fill.reference(reflect.ValueOf(refReq).Elem())
			refReq.SetVersion(version)
			_, req, err := DecodeRequest(NewBytesReader(formatter.AppendRequest(nil, refReq, 7)[4:]))
			if err != nil {
				t.Fatal(err)
			}
			same(t, version, api.Flex, req, refReq)

			ref := kmsg.ResponseForKey(int16(api.Key))
			fill.reference(reflect.ValueOf(ref).Elem())
			ref.SetVersion(version)
			// What it fills in at random need not make sense, as Decode insists.
			if err := decodeResponse(NewBytesReader(ref.AppendTo(nil)), version, resp, nil); err != nil {
				t.Fatal(err)
			}
			same(t, version, api.Flex, resp, ref)
		}
	})
}

// reference fills a message of the reference codec, whatever its version
// carries; unknown tagged fields are among it.
func (f filler) reference(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(f.int())
	case reflect.String:
		v.SetString(f.string())
	case reflect.Uint8:
		v.SetUint(uint64(f.IntN(256)))
	case reflect.Pointer:
		if f.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.reference(v.Elem())
		}
	case reflect.Array:
		for i := range v.Len() {
			f.reference(v.Index(i))
		}
	case reflect.Slice:
		if f.IntN(5) == 0 {
			return
		}
		n := f.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.reference(v.Index(i))
		}
	case reflect.Struct:
		if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
			for range f.IntN(3) {
				tags.Set(uint32(4+f.IntN(1000)), make([]byte, f.IntN(300)))
			}
			return
		}
		for i := range v.NumField() {
			f.reference(v.Field(i))
		}
	}
}

// same compares ours with the reference's, field by field in order. The
// reference keeps what its version cannot carry, so it is read back first.
func same(t *testing.T, version, flex int16, ours any, ref interface {
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}) {
	t.Helper()
	fresh := reflect.New(reflect.TypeOf(ref).Elem())
	fresh.Elem().FieldByName("Version").SetInt(int64(version))
	if err := fresh.Interface().(interface{ ReadFrom([]byte) error }).ReadFrom(ref.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(ours).Elem()
	p, err := planOf(v.Type(), version, flex)
	if err != nil {
		t.Fatal(err)
	}
	if err := samePlan(p, v, fresh.Elem()); err != nil {
		t.Fatalf("%v\nours %+v\nreference %+v", err, ours, fresh)
	}
}

// Tagged fields that came later than the first flexible version of their
// message, by Kafka's schemas; the reference does not tell.
var laterTags = map[string]int16{
	"ProduceResponse.NodeEndpoints":        10,
	"ProducePartitionResult.CurrentLeader": 10,
	"FetchRequest.ReplicaState":            15,
	"FetchPartition.ReplicaDirectoryID":    17,
	"FetchPartition.HighWatermark":         18,
	"FetchResponse.NodeEndpoints":          16,
}

func TestTaggedFieldsBeginWhereKafkasSchemasSay(t *testing.T) {
	for _, api := range APIs() {
		for v := api.Flex; v <= api.Max; v++ {
			var walk func(s *schema)
			walk = func(s *schema) {
				for _, f := range s.fields {
					first, later := laterTags[s.typ.Name()+"."+f.name]
					if !later {
						first = api.Flex
					}
					if f.tag >= 0 && f.versions.has(v) != (v >= first) {
						t.Errorf("%s.%s is in version %d: %t", s.typ.Name(), f.name, v, f.versions.has(v))
					}
					e := f.typ
					if e.Kind() == reflect.Slice || e.Kind() == reflect.Pointer {
						e = e.Elem()
					}
					if e.Kind() == reflect.Struct {
						walk(schemaOf(e))
					}
				}
			}
			walk(schemaOf(reflect.TypeOf(api.Request()).Elem()))
			walk(schemaOf(reflect.TypeOf(api.Response()).Elem()))
		}
	}
}

func samePlan(p *plan, a, b reflect.Value) error {
	j := 0
	next := func() reflect.Value {
		for ; j < b.NumField(); j++ {
			if name := b.Type().Field(j).Name; name != "Version" && name != "UnknownTags" {
				j++
				return b.Field(j - 1)
			}
		}
		return reflect.Value{}
	}
	in := func(list []field, i int) *field {
		for k := range list {
			if list[k].index == i {
				return &list[k]
			}
		}
		return nil
	}
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if name == "TopicID" && (j >= b.NumField() || b.Field(j).Kind() != reflect.Array) {
			continue // ours has one struct for both ways to name a topic
		}
		y := next()
		f := in(p.fields, i)
		if f == nil {
			f = in(p.tagged, i)
		}
		if f == nil {
			// Not in this version: both have it at the default. Tagged fields
			// are apart, since the reference takes them in any version.
			if f = in(p.absent, i); !f.isDefault(a.Field(i)) {
				return fmt.Errorf("%s: %v where the version has none", name, a.Field(i))
			}
			tagged := schemaOf(a.Type()).fields[i].tag >= 0
			if !tagged && y.IsValid() {
				if err := sameValue(&f.item, false, a.Field(i), y); err != nil {
					return under(name, err)
				}
			}
			continue
		}
		if !y.IsValid() {
			return fmt.Errorf("%s: not in the reference", name)
		}
		if err := sameValue(&f.item, f.nullable, a.Field(i), y); err != nil {
			return under(name, err)
		}
	}
	return nil
}

func sameValue(it *item, nullable bool, a, b reflect.Value) error {
	different := func() error { return fmt.Errorf("%v, not %v", a, b) }
	switch it.kind {
	case kindStruct:
		return samePlan(it.plan, a, b)
	case kindStructPtr:
		if a.IsNil() != b.IsNil() {
			return different()
		}
		if !a.IsNil() {
			return samePlan(it.plan, a.Elem(), b.Elem())
		}
	case kindStringPtr:
		if b.Kind() == reflect.String {
			b = reflect.ValueOf(new(b.String()))
		}
		if a.IsNil() != b.IsNil() || !a.IsNil() && a.Elem().String() != b.Elem().String() {
			return different()
		}
	case kindSlice, kindBytes, kindRecords:
		if nullable && a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return different()
		}
		if it.kind != kindSlice {
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				return different()
			}
			return nil
		}
		for i := range a.Len() {
			if err := sameValue(it.elem, false, a.Index(i), b.Index(i)); err != nil {
				return under(fmt.Sprintf("[%d]", i), err)
			}
		}
	default:
		if !a.Equal(b.Convert(a.Type())) {
			return different()
		}
	}
	return nil
}
