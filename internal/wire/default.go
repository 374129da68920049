package wire

import (
	"fmt"
	"reflect"
	"strconv"
)

// Default is a T with every field at its schema default, nested structs
// included; elements of slices need a Default of their own. T is one of this
// package's structs.
func Default[T any]() T {
	s := schemaOf(reflect.TypeFor[T]())
	if s.err != nil {
		panic(s.err)
	}
	return *s.pointer.(*T)
}

func setDefault(v reflect.Value, s string) error {
	switch {
	case v.CanInt():
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(s)
		v.SetBool(b)
		return err
	}
	return fmt.Errorf("%s takes no default", v.Type())
}

// isDefault says that v is not worth sending. A nullable slice's default is
// nil, so an empty one is news; elsewhere nil and empty are the same.
func (f *field) isDefault(v reflect.Value) bool {
	switch f.kind {
	case kindBool:
		return v.Bool() == f.def.Bool()
	case kindInt8, kindInt16, kindInt32, kindInt64:
		return v.Int() == f.def.Int()
	case kindString:
		return v.Len() == 0
	case kindStringPtr, kindStructPtr:
		return v.IsNil()
	case kindUUID:
		return v.IsZero()
	case kindStruct:
		return f.plan.isDefault(v)
	}
	if f.nullable {
		return v.IsNil()
	}
	return v.Len() == 0
}

func (p *plan) isDefault(v reflect.Value) bool {
	for _, list := range [...][]field{p.fields, p.tagged, p.absent} {
		for i := range list {
			if f := &list[i]; !f.isDefault(v.Field(f.index)) {
				return false
			}
		}
	}
	return true
}
