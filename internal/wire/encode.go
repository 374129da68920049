package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
)

// ErrVersion is wrapped by every refusal to encode what a version has no room
// for; a newer broker might be told.
var ErrVersion = errors.New("cannot be said in version")

var (
	errString = errors.New("string longer than 32767 bytes")
	errNoNull = errors.New("null where the version allows none")
)

// FieldError says which field of a message could not be encoded or decoded.
type FieldError struct {
	Path string // as FetchResponse.Topics[0].Partitions[3].HighWatermark
	Err  error
}

// Error is the path and the cause.
func (e *FieldError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// under puts a step in front of an error's path on its way out; paths are built
// only once something went wrong.
func under(step string, err error) error {
	fe, ok := err.(*FieldError)
	switch {
	case !ok:
		return &FieldError{step, err}
	case fe.Path[0] == '[':
		fe.Path = step + fe.Path
	default:
		fe.Path = step + "." + fe.Path
	}
	return fe
}

// cannot refuses a field in a version.
func cannot(path string, version int16) error {
	return &FieldError{path, fmt.Errorf("%w %d", ErrVersion, version)}
}

// encoder writes one message. b is the frame's head so far; record bytes go
// beside it.
type encoder struct {
	b     []byte
	parts []Part
	flex  bool
}

func (e *encoder) message(p *plan, v reflect.Value) error {
	for i := range p.absent {
		f := &p.absent[i]
		if !f.ignorable && !f.isDefault(v.Field(f.index)) {
			return cannot(f.name, p.version)
		}
	}
	for i := range p.fields {
		f := &p.fields[i]
		if err := e.value(&f.item, f.nullable, v.Field(f.index)); err != nil {
			return under(f.name, err)
		}
	}
	if !p.flex {
		return nil
	}
	return e.tagged(p, v)
}

// tagged writes the tagged fields that are not at their default, in ascending
// order (KIP-482).
func (e *encoder) tagged(p *plan, v reflect.Value) error {
	n := 0
	for i := range p.tagged {
		if f := &p.tagged[i]; !f.isDefault(v.Field(f.index)) {
			n++
		}
	}
	e.uvarint(uint32(n))
	for i := range p.tagged {
		f := &p.tagged[i]
		x := v.Field(f.index)
		if f.isDefault(x) {
			continue
		}
		e.uvarint(f.tag)
		at := len(e.b)
		if err := e.value(&f.item, f.nullable, x); err != nil {
			return under(f.name, err)
		}
		e.prefix(at)
	}
	return nil
}

// prefix puts the length of everything from at on in front of it.
func (e *encoder) prefix(at int) {
	var size [binary.MaxVarintLen32]byte
	body := len(e.b) - at
	n := binary.PutUvarint(size[:], uint64(body))
	e.b = append(e.b, size[:n]...)
	copy(e.b[at+n:], e.b[at:at+body])
	copy(e.b[at:], size[:n])
}

func (e *encoder) value(it *item, nullable bool, v reflect.Value) error {
	switch it.kind {
	case kindBool:
		if v.Bool() {
			e.b = append(e.b, 1)
		} else {
			e.b = append(e.b, 0)
		}
	case kindInt8:
		e.b = append(e.b, byte(v.Int()))
	case kindInt16:
		e.b = binary.BigEndian.AppendUint16(e.b, uint16(v.Int()))
	case kindInt32:
		e.b = binary.BigEndian.AppendUint32(e.b, uint32(v.Int()))
	case kindInt64:
		e.b = binary.BigEndian.AppendUint64(e.b, uint64(v.Int()))
	case kindUUID:
		e.b = append(e.b, v.Bytes()...)
	case kindString:
		return e.string(v.String())
	case kindStringPtr:
		switch {
		case !v.IsNil():
			return e.string(v.Elem().String())
		case nullable:
			e.null(it.kind)
		default:
			return e.string("")
		}
	case kindStruct:
		return e.message(it.plan, v)
	case kindStructPtr:
		return e.structPtr(it, nullable, v)
	default:
		return e.sequence(it, nullable, v)
	}
	return nil
}

// structPtr writes a byte that says whether there is a struct, and the struct.
func (e *encoder) structPtr(it *item, nullable bool, v reflect.Value) error {
	switch {
	case !v.IsNil():
		e.b = append(e.b, 1)
		return e.message(it.plan, v.Elem())
	case !nullable:
		return errNoNull
	}
	e.b = append(e.b, 0xff)
	return nil
}

// sequence writes bytes, records and arrays: whatever has a 32 bit length.
func (e *encoder) sequence(it *item, nullable bool, v reflect.Value) error {
	if nullable && v.IsNil() {
		e.null(it.kind)
		return nil
	}
	n := v.Len()
	if n > MaxFrame {
		return errFrame
	}
	if e.flex {
		e.uvarint(uint32(n) + 1)
	} else {
		e.b = binary.BigEndian.AppendUint32(e.b, uint32(n))
	}
	switch it.kind {
	case kindBytes:
		e.b = append(e.b, v.Bytes()...)
	case kindRecords:
		if n > 0 {
			e.parts = append(e.parts, Part{len(e.b), v.Bytes()})
		}
	default:
		if it.elem.plan != nil && it.elem.plan.key != nil {
			if err := distinct(it.elem.plan.key, v); err != nil {
				return err
			}
		}
		for i := range n {
			if err := e.value(it.elem, false, v.Index(i)); err != nil {
				return under("["+itoa(i)+"]", err)
			}
		}
	}
	return nil
}

func (e *encoder) string(s string) error {
	if e.flex {
		if len(s) > MaxFrame {
			return errFrame
		}
		e.uvarint(uint32(len(s)) + 1)
	} else {
		if len(s) > math.MaxInt16 {
			return errString
		}
		e.b = binary.BigEndian.AppendUint16(e.b, uint16(len(s)))
	}
	e.b = append(e.b, s...)
	return nil
}

func (e *encoder) null(k kind) {
	switch {
	case e.flex:
		e.b = append(e.b, 0)
	case k == kindStringPtr:
		e.b = append(e.b, 0xff, 0xff)
	default:
		e.b = append(e.b, 0xff, 0xff, 0xff, 0xff)
	}
}

func (e *encoder) uvarint(n uint32) { e.b = binary.AppendUvarint(e.b, uint64(n)) }
