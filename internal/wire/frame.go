package wire

import "net"

// Frame is an encoded request or response, length prefix included. Head holds
// everything but record bytes; Parts are written in between, uncopied.
type Frame struct {
	Head  []byte
	Parts []Part
}

// Part is a run of the caller's record bytes that stands after Head[:At].
type Part struct {
	At    int
	Bytes []byte
}

// Buffers appends f's bytes, in order, to dst for one writev.
func (f *Frame) Buffers(dst net.Buffers) net.Buffers {
	from := 0
	for _, p := range f.Parts {
		dst = append(dst, f.Head[from:p.At], p.Bytes)
		from = p.At
	}
	return append(dst, f.Head[from:])
}

// AppendRequest encodes size, header (v0, v1 or v2 as the API and version ask)
// and body over f's old contents. f's Parts alias req's Records until the frame
// is written. A value that version cannot carry is an error naming the field,
// unless the field is ignorable. Adapter requests are adapted first.
func AppendRequest(f *Frame, req Request, version int16, correlation int32, clientID string) error {
	return errUnfinished
}

// AppendResponse encodes size, header and body; it serves scripted brokers.
func AppendResponse(f *Frame, resp Response, version int16, correlation int32) error {
	return errUnfinished
}

// RequestHeader is what stands before a request's body.
type RequestHeader struct {
	Key         Key
	Version     int16
	Correlation int32
	ClientID    *string
}

// DecodeRequest reads header and body; it serves scripted brokers. The request
// has the shape the version gave it, unadapted.
func DecodeRequest(r *Reader) (RequestHeader, Request, error) {
	return RequestHeader{}, nil, errUnfinished
}

// RecordsFunc receives a records field where it stands. path is the enclosing
// structs, outermost first (say *FetchResponse, *FetchTopicResult,
// *FetchPartitionResult), decoded up to this field and no further: tagged
// fields come later. What it leaves unread is skipped.
type RecordsFunc func(path []any, body *Body) error

// DecodeResponseHeader reads the header of a response to key in version.
func DecodeResponseHeader(r *Reader, key Key, version int16) (correlation int32, err error) {
	return 0, errUnfinished
}

// Decode reads a response body into resp, which it overwrites, and insists that
// the frame ends with it. With on, records fields go there and stay nil in resp;
// without, they are copied in. Errors name the field's path. An error of on
// stops the decoding and is returned as it is.
func Decode(r *Reader, version int16, resp Response, on RecordsFunc) error {
	return errUnfinished
}

// Default is a T with every field at its schema default, nested structs
// included; elements of slices need a Default of their own.
func Default[T any]() T {
	var v T
	return v
}
