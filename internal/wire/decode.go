package wire

import (
	"errors"
	"fmt"
	"reflect"
)

var (
	errLength = errors.New("negative length")
	errCount  = errors.New("more elements claimed than the frame has bytes for")
	errTag    = errors.New("tagged field does not fill its length")
	errRoom   = errors.New("more than is believable of one response")
)

// maxHeld is how much memory one message may take, beside records: several times
// what the metadata of a million partitions need. Elements take up to twenty times
// the bytes that claim them.
const maxHeld = 256 << 20

// decoder reads one message off r.
type decoder struct {
	r       *Reader
	on      RecordsFunc
	path    []any // the structs around a records field, kept for on
	body    Body  // here, so that on costs no allocation each time
	stopped bool  // on returned the error that is on its way out
	held    int   // bytes of memory given
}

// take gives n bytes of memory.
func (d *decoder) take(n int) error {
	if d.held += n; d.held > maxHeld {
		return errRoom
	}
	return nil
}

// fail names the step an error passed, unless it is the caller's own.
func (d *decoder) fail(step string, err error) error {
	if d.stopped {
		return err
	}
	return under(step, err)
}

func (d *decoder) message(p *plan, v reflect.Value) error {
	if p.records && d.on != nil {
		d.path = append(d.path, v.Addr().Interface())
	}
	for i := range p.absent {
		f := &p.absent[i]
		v.Field(f.index).Set(f.def)
	}
	for i := range p.tagged {
		f := &p.tagged[i]
		v.Field(f.index).Set(f.def)
	}
	for i := range p.fields {
		f := &p.fields[i]
		if err := d.value(&f.item, f.nullable, p.flex, v.Field(f.index)); err != nil {
			return d.fail(f.name, err)
		}
	}
	if p.records && d.on != nil {
		d.path = d.path[:len(d.path)-1]
	}
	if !p.flex {
		return nil
	}
	return d.tagged(p, v)
}

// tagged reads the tagged fields: the known ones must fill their length exactly,
// unknown ones are skipped.
func (d *decoder) tagged(p *plan, v reflect.Value) error {
	n := d.r.Uvarint()
	for range n {
		tag, size := d.r.Uvarint(), d.r.Uvarint()
		if d.r.err != nil {
			break
		}
		if int64(size) > int64(d.r.left) {
			d.r.fail(errShort)
			break
		}
		f := p.tag(tag)
		if f == nil {
			d.r.discard(int(size))
			continue
		}
		rest := d.r.left - int(size)
		d.r.left = int(size)
		err := d.value(&f.item, f.nullable, true, v.Field(f.index))
		if err == nil && d.r.left != 0 {
			err = errTag
		}
		if err != nil {
			return d.fail(f.name, err)
		}
		d.r.left = rest
	}
	return d.r.err
}

func (p *plan) tag(n uint32) *field {
	for i := range p.tagged {
		if p.tagged[i].tag == n {
			return &p.tagged[i]
		}
	}
	return nil
}

func (d *decoder) value(it *item, nullable, flex bool, v reflect.Value) error {
	r := d.r
	switch it.kind {
	case kindBool:
		v.SetBool(r.Int8() != 0)
	case kindInt8:
		v.SetInt(int64(r.Int8()))
	case kindInt16:
		v.SetInt(int64(r.Int16()))
	case kindInt32:
		v.SetInt(int64(r.Int32()))
	case kindInt64:
		v.SetInt(r.Int64())
	case kindUUID:
		if b := r.Next(16); b != nil {
			copy(v.Bytes(), b)
		}
	case kindString:
		return d.string(flex, v)
	case kindStringPtr:
		return d.stringPtr(nullable, flex, v)
	case kindStruct:
		return d.message(it.plan, v)
	case kindStructPtr:
		return d.structPtr(it, nullable, v)
	case kindSlice:
		return d.slice(it, nullable, flex, v)
	case kindBytes:
		return d.bytes(nullable, flex, v)
	case kindRecords:
		return d.records(nullable, flex, v)
	}
	return r.err
}

// length reads a string's length (16 bits, or compact); -1 is null.
func (r *Reader) length(short, flex bool) int {
	var n int64
	switch {
	case flex:
		n = int64(r.Uvarint()) - 1
	case short:
		n = int64(r.Int16())
	default:
		n = int64(r.Int32())
	}
	switch {
	case r.err != nil:
		return 0
	case n < -1:
		r.fail(errLength)
		return 0
	case n > int64(r.left): // every element of an array takes a byte at least
		r.fail(errShort)
		return 0
	}
	return int(n)
}

// string keeps the old string where it is the same: a fetch loop decodes the
// same names again and again.
func (d *decoder) string(flex bool, v reflect.Value) error {
	n := d.r.length(true, flex)
	if n < 0 {
		return errNoNull
	}
	if err := d.take(n); err != nil {
		return err
	}
	b := d.r.Next(n)
	if d.r.err == nil && v.String() != string(b) {
		v.SetString(string(b))
	}
	return d.r.err
}

func (d *decoder) stringPtr(nullable, flex bool, v reflect.Value) error {
	n := d.r.length(true, flex)
	if n < 0 {
		if !nullable {
			return errNoNull
		}
		v.SetZero()
		return nil
	}
	if err := d.take(n); err != nil {
		return err
	}
	b := d.r.Next(n)
	if d.r.err != nil {
		return d.r.err
	}
	if v.IsNil() || v.Elem().String() != string(b) {
		s := string(b) // a new one: the old may be someone's
		v.Set(reflect.ValueOf(&s))
	}
	return nil
}

// structPtr reads whether there is a struct, which a negative byte denies, and
// the struct: a new one, for the old may be someone's.
func (d *decoder) structPtr(it *item, nullable bool, v reflect.Value) error {
	there := d.r.Int8() >= 0
	switch {
	case d.r.err != nil:
		return d.r.err
	case there:
		if err := d.take(int(v.Type().Elem().Size())); err != nil {
			return err
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(it.proto)
		v.Set(p)
		return d.message(it.plan, p.Elem())
	case !nullable:
		return errNoNull
	}
	v.SetZero()
	return nil
}

func (d *decoder) bytes(nullable, flex bool, v reflect.Value) error {
	n := d.r.length(false, flex)
	if n < 0 {
		if !nullable {
			return errNoNull
		}
		v.SetZero()
		return nil
	}
	if err := d.take(n); err != nil {
		return err
	}
	v.SetBytes(d.r.copy(v.Bytes(), n))
	return d.r.err
}

// records hands a records field over where it stands, or copies it in.
func (d *decoder) records(nullable, flex bool, v reflect.Value) error {
	if d.on == nil {
		return d.bytes(nullable, flex, v)
	}
	v.SetZero()
	n := d.r.length(false, flex)
	if d.r.err != nil {
		return d.r.err
	}
	if n < 0 {
		if !nullable {
			return errNoNull
		}
		n = 0
	}
	d.body = Body{r: d.r, left: n}
	if err := d.on(d.path, &d.body); err != nil {
		d.stopped = true
		return err
	}
	return d.body.Skip(d.body.left)
}

// ahead is how many elements are made room for before any has arrived. What a
// count claims beyond that is believed as the elements come in.
const ahead = 1024

func (d *decoder) slice(it *item, nullable, flex bool, v reflect.Value) error {
	n := d.r.length(false, flex)
	switch {
	case d.r.err != nil:
		return d.r.err
	case n < 0 && !nullable:
		return errNoNull
	case n < 0:
		v.SetZero()
		return nil
	case int64(n)*int64(it.elem.least(flex)) > int64(d.r.left):
		return errCount
	case n == 0 && v.IsNil():
		v.Set(it.empty)
		return nil
	}
	v.SetLen(0)
	for i := range n {
		if i == v.Cap() {
			v.Grow(min(n-i, max(i, ahead)))
			if err := d.take((v.Cap() - i) * int(v.Type().Elem().Size())); err != nil {
				return err
			}
		}
		v.SetLen(i + 1)
		if err := d.value(it.elem, false, flex, v.Index(i)); err != nil {
			return d.fail("["+itoa(i)+"]", err)
		}
	}
	return nil
}

// Decode reads a response body into resp, which it overwrites, and insists that
// the frame ends with it. With on, records fields go there and stay nil in resp;
// without, they are copied in. Errors name the field's path. An error of on
// stops the decoding and is returned as it is. What no broker can mean, such as a
// negative partition or one that comes twice, is an error too.
//
// Old slices of resp are filled anew where they are large enough, so decoding
// into the same value again and again allocates little; keep no slice of it.
//
// A broker that does not speak the version of an ApiVersions request answers in
// version 0 whatever was asked (KIP-511), which Decode sees by the error code.
func Decode(r *Reader, version int16, resp Response, on RecordsFunc) error {
	if err := decodeResponse(r, version, resp, on); err != nil {
		return err
	}
	if c, ok := resp.(checker); ok {
		return c.check()
	}
	return nil
}

func decodeResponse(r *Reader, version int16, resp Response, on RecordsFunc) error {
	api, err := speak(resp.Key(), version)
	if err != nil {
		return err
	}
	if api.Key == APIVersions && version > 0 && r.startsWith(UnsupportedVersion) {
		version = 0
	}
	return decode(r, api, version, resp, on)
}

func decode(r *Reader, api API, version int16, message any, on RecordsFunc) error {
	v := reflect.ValueOf(message).Elem()
	p, err := planOf(v.Type(), version, api.Flex)
	if err != nil {
		return err
	}
	d := decoder{r: r, on: on}
	if on == nil {
		d.held = -r.left // records are copied in, and they are what was sent
	}
	if on != nil {
		d.path = make([]any, 0, 4)
	}
	if err := d.message(p, v); err != nil {
		return d.fail(p.name, err)
	}
	if r.left > 0 {
		return &FieldError{p.name, fmt.Errorf("%d bytes too many in version %d", r.left, version)}
	}
	return nil
}
