package wire

import (
	"errors"
	"reflect"
)

// ConsumerProtocolSubscription is what a consumer tells the leader of a classic
// group, as the metadata of each assignor it joins with.
type ConsumerProtocolSubscription struct {
	Topics          []string
	UserData        []byte                  `kafka:"null=0+"` // the assignor's own
	OwnedPartitions []ConsumerProtocolTopic `kafka:"1+,ignorable"`
	GenerationID    int32                   `kafka:"2+,default=-1,ignorable"` // in which they were owned
	RackID          *string                 `kafka:"3+,null=3+,ignorable"`
}

// ConsumerProtocolTopic is some partitions of a topic.
type ConsumerProtocolTopic struct {
	Topic      string
	Partitions []int32
}

// ConsumerProtocolAssignment is what a leader gives to a consumer.
type ConsumerProtocolAssignment struct {
	AssignedPartitions []ConsumerProtocolTopic
	UserData           []byte `kafka:"null=0+"`
}

// StickyUserData is what a consumer had before, as the sticky assignor's user
// data tells it. Version 0 has no generation. The version travels outside: not
// at all.
type StickyUserData struct {
	Previous   []ConsumerProtocolTopic
	Generation int32 `kafka:"1+,default=-1,ignorable"`
}

// consumerProtocol is the newest version of either message.
const consumerProtocol = 3

var errOldProtocol = errors.New("negative version of the consumer protocol")

// Append encodes the subscription behind its version, 0 to 3.
func (s *ConsumerProtocolSubscription) Append(b []byte, version int16) ([]byte, error) {
	return appendBare(append(b, byte(version>>8), byte(version)), version, s)
}

// Decode reads a subscription of any version: what newer ones add at the end is
// left out, and a subscription of version 1 that ends early owns nothing, as
// some clients write it.
func (s *ConsumerProtocolSubscription) Decode(b []byte) (version int16, err error) {
	*s = Default[ConsumerProtocolSubscription]()
	r := NewBytesReader(b)
	version = r.Int16()
	if err := checkProtocol(r, version); err != nil {
		return version, err
	}
	err = decodeBare(r, min(version, consumerProtocol), s)
	if err != nil && version > 0 {
		old := Default[ConsumerProtocolSubscription]()
		r := NewBytesReader(b[2:])
		if decodeBare(r, 0, &old) == nil && r.Left() == 0 {
			*s, err = old, nil
		}
	}
	return version, err
}

// Append encodes the assignment behind its version, 0 to 3.
func (a *ConsumerProtocolAssignment) Append(b []byte, version int16) ([]byte, error) {
	return appendBare(append(b, byte(version>>8), byte(version)), version, a)
}

// Decode reads an assignment of any version.
func (a *ConsumerProtocolAssignment) Decode(b []byte) (version int16, err error) {
	*a = Default[ConsumerProtocolAssignment]()
	r := NewBytesReader(b)
	version = r.Int16()
	if err := checkProtocol(r, version); err != nil {
		return version, err
	}
	return version, decodeBare(r, min(version, consumerProtocol), a)
}

// Append encodes the user data in a version, 0 or 1.
func (u *StickyUserData) Append(b []byte, version int16) ([]byte, error) {
	return appendBare(b, version, u)
}

// Decode reads user data of either version, which its length tells apart.
func (u *StickyUserData) Decode(b []byte) error {
	for _, version := range [...]int16{1, 0} {
		*u = Default[StickyUserData]()
		r := NewBytesReader(b)
		err := decodeBare(r, version, u)
		if err == nil || version == 0 {
			return err
		}
	}
	return nil
}

func checkProtocol(r *Reader, version int16) error {
	if r.err == nil && version < 0 {
		return errOldProtocol
	}
	return r.err
}

// appendBare encodes a struct that is no message of its own. These formats came
// before flexible versions and have none.
func appendBare(b []byte, version int16, v any) ([]byte, error) {
	x := reflect.ValueOf(v).Elem()
	p, err := planOf(x.Type(), version, noFlex)
	if err != nil {
		return b, err
	}
	e := encoder{b: b}
	if err := e.message(p, x); err != nil {
		return b, under(p.name, err)
	}
	return e.b, nil
}

// decodeBare is its opposite; bytes behind the struct are left.
func decodeBare(r *Reader, version int16, v any) error {
	x := reflect.ValueOf(v).Elem()
	p, err := planOf(x.Type(), version, noFlex)
	if err != nil {
		return err
	}
	d := decoder{r: r}
	if err := d.message(p, x); err != nil {
		return d.fail(p.name, err)
	}
	return nil
}
