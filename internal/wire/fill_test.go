package wire

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
)

// filler makes random messages that a version can carry.
type filler struct{ *rand.Rand }

func newFiller(seed ...int) filler {
	var s [32]byte
	for i, n := range seed {
		s[2*i], s[2*i+1] = byte(n), byte(n>>8)
	}
	return filler{rand.New(rand.NewChaCha8(s))}
}

// message fills what the version carries and leaves the rest at its default.
func (f filler) message(m any, version, flex int16) {
	v := reflect.ValueOf(m).Elem()
	p, err := planOf(v.Type(), version, flex)
	if err != nil {
		panic(err)
	}
	f.plan(p, v, 0)
	tidy(m, version)
}

func (f filler) plan(p *plan, v reflect.Value, nth int) {
	for i := range p.absent {
		v.Field(p.absent[i].index).Set(p.absent[i].def)
	}
	for i := range p.tagged {
		x := v.Field(p.tagged[i].index)
		x.Set(p.tagged[i].def)
		if f.IntN(2) == 0 {
			f.value(&p.tagged[i].item, p.tagged[i].nullable, x)
		}
		if p.tagged[i].isDefault(x) {
			x.Set(p.tagged[i].def) // not sent, so an empty slice comes back nil
		}
	}
	for i := range p.fields {
		fd := &p.fields[i]
		x := v.Field(fd.index)
		f.value(&fd.item, fd.nullable, x)
		if fd != p.key {
			continue
		}
		switch fd.kind { // distinct
		case kindString:
			x.SetString(fmt.Sprint("t", nth, x.String()))
		case kindUUID:
			x.Index(0).SetUint(uint64(nth + 1))
		default:
			x.SetInt(int64(nth*7 - 1))
		}
	}
}

func (f filler) value(it *item, nullable bool, v reflect.Value) {
	if nullable && f.IntN(4) == 0 {
		v.SetZero()
		return
	}
	switch it.kind {
	case kindBool:
		v.SetBool(f.IntN(2) == 0)
	case kindInt8, kindInt16, kindInt32, kindInt64:
		v.SetInt(f.int())
	case kindString:
		v.SetString(f.string())
	case kindStringPtr:
		v.Set(reflect.ValueOf(new(f.string())))
	case kindUUID, kindBytes, kindRecords:
		if it.kind != kindUUID {
			n := f.IntN(200)
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i, b := 0, v.Bytes(); i < len(b); i++ {
			b[i] = byte(f.IntN(256))
		}
	case kindStruct:
		f.plan(it.plan, v, 0)
	case kindStructPtr:
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(it.proto)
		f.plan(it.plan, p.Elem(), 0)
		v.Set(p)
	case kindSlice:
		n := f.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			if it.elem.kind == kindStruct {
				f.plan(it.elem.plan, v.Index(i), i)
			} else {
				f.value(it.elem, false, v.Index(i))
			}
		}
	}
}

func (f filler) int() int64 {
	switch f.IntN(8) {
	case 0:
		return 0
	case 1:
		return -1
	case 2:
		return math.MaxInt64
	case 3:
		return math.MinInt64
	}
	return int64(f.Uint64())
}

func (f filler) string() string {
	if f.IntN(20) == 0 {
		return strings.Repeat("långt ", 100)
	}
	return strings.Repeat("x\x00é", f.IntN(5))
}

// tidy takes out what At would refuse, and check.
func tidy(m any, version int16) {
	switch m := m.(type) {
	case *MetadataResponse:
		for i := range m.Topics {
			for j := range m.Topics[i].Partitions {
				m.Topics[i].Partitions[j].Index = int32(5 * j)
			}
		}
	case *ProduceResponse:
		for i := range m.Topics {
			t := &m.Topics[i]
			if version < 13 {
				t.Name = fmt.Sprint(i, t.Name)
			} else {
				t.TopicID[0] = byte(i)
			}
			for j := range t.Partitions {
				t.Partitions[j].Index = int32(5*j - 3)
			}
		}
	case *ListOffsetsResponse:
		for i := range m.Topics {
			for j := range m.Topics[i].Partitions {
				p := &m.Topics[i].Partitions[j]
				p.Offset = max(p.Offset, -1)
				for k := range p.OldStyleOffsets {
					p.OldStyleOffsets[k] = max(p.OldStyleOffsets[k], 0)
				}
			}
		}
	case *JoinGroupResponse:
		for i := range m.Members {
			m.Members[i].MemberID = fmt.Sprint(i, m.Members[i].MemberID)
		}
	case *MetadataRequest:
		if version == 0 && len(m.Topics) == 0 {
			m.Topics = []MetadataRequestTopic{{Name: new("t")}}
		}
		for i := range m.Topics {
			if t := &m.Topics[i]; version < 12 {
				t.TopicID = UUID{}
				if t.Name == nil {
					t.Name = new("")
				}
			}
		}
	case *ListOffsetsRequest:
		for i := range m.Topics {
			for j := range m.Topics[i].Partitions {
				p := &m.Topics[i].Partitions[j]
				p.Timestamp = max(p.Timestamp, EarliestTimestamp)
			}
		}
	case *CreateTopicsRequest:
		for i := range m.Topics {
			t := &m.Topics[i]
			t.NumPartitions, t.ReplicationFactor = max(t.NumPartitions, 0), max(t.ReplicationFactor, 0)
		}
	case *FindCoordinatorRequest:
		m.KeyType = CoordinatorGroup
	}
}
