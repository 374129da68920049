package jsonl

import (
	"encoding/binary"

	"kafkactl/internal/record"
)

// headers reads an array of name and value objects into record format.
func (d *Decoder) headers() (record.Headers, error) {
	if d.null() {
		return record.Headers{}, nil
	}
	if !d.take('[') {
		return record.Headers{}, d.fault("an array [ is wanted")
	}
	if d.take(']') {
		return record.Headers{}, nil
	}
	d.pairs = d.pairs[:0]
	for count := int64(1); ; count++ {
		if err := d.header(); err != nil {
			return record.Headers{}, err
		}
		switch {
		case d.take(','):
		case d.take(']'):
			d.raw = append(binary.AppendVarint(d.raw[:0], count), d.pairs...)
			return record.Headers{Raw: d.raw}, nil
		default:
			return record.Headers{}, d.fault("a comma or ] is wanted")
		}
	}
}

// header reads one of them onto d.pairs.
func (d *Decoder) header() error {
	if !d.take('{') {
		return d.fault("an object { is wanted")
	}
	const (
		hasName  = 1
		hasValue = 2
	)
	var name, value []byte
	seen := 0
	for more := !d.take('}'); more; {
		d.space()
		at := d.at
		field, err := d.string()
		if err != nil {
			return err
		}
		if !d.take(':') {
			return d.fault("a colon is wanted")
		}
		has := hasValue
		switch string(field) {
		case "name":
			has = hasName
			name, err = d.string()
		case "name64":
			has = hasName
			if name, err = d.bytes(Base64); name == nil && err == nil {
				err = d.fault("a header's name cannot be null")
			}
		case "value":
			value, err = d.nullableString()
		case "value64":
			value, err = d.bytes(Base64)
		default:
			d.at = at
			return d.fault("unknown field %q in a header", field)
		}
		if err != nil {
			return err
		}
		if seen&has != 0 {
			d.at = at
			return d.fault("field %q given twice in a header", field)
		}
		seen |= has
		switch {
		case d.take(','):
		case d.take('}'):
			more = false
		default:
			return d.fault("a comma or } is wanted")
		}
	}
	if seen&hasName == 0 {
		return d.fault("a header without a name")
	}
	d.pairs = binary.AppendVarint(d.pairs, int64(len(name)))
	d.pairs = append(d.pairs, name...)
	if value == nil {
		d.pairs = binary.AppendVarint(d.pairs, -1)
		return nil
	}
	d.pairs = binary.AppendVarint(d.pairs, int64(len(value)))
	d.pairs = append(d.pairs, value...)
	return nil
}
