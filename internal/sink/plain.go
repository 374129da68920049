package sink

import "kafkactl/internal/record"

// Plain is the form records have without a format: the value and a delimiter.
type Plain struct {
	Delim  []byte // after each value
	Keys   bool   // the key and KeySep stand before the value
	KeySep []byte
	Null   []byte // stands for a null key or value
}

// Append gives the form as a function.
func (p Plain) Append() Append {
	if p.Keys || len(p.Null) > 0 {
		return p.append
	}
	if len(p.Delim) == 1 {
		c := p.Delim[0]
		return func(dst []byte, r *record.Record) []byte { return append(append(dst, r.Value...), c) }
	}
	return func(dst []byte, r *record.Record) []byte { return append(append(dst, r.Value...), p.Delim...) }
}

func (p Plain) append(dst []byte, r *record.Record) []byte {
	if p.Keys {
		dst = append(p.field(dst, r.Key), p.KeySep...)
	}
	return append(p.field(dst, r.Value), p.Delim...)
}

func (p Plain) field(dst, b []byte) []byte {
	if b == nil {
		return append(dst, p.Null...)
	}
	return append(dst, b...)
}
