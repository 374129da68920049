package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// bare fills a struct that is no message of its own.
func (f filler) bare(v any, version int16) {
	x := reflect.ValueOf(v).Elem()
	p, err := planOf(x.Type(), version, noFlex)
	if err != nil {
		panic(err)
	}
	f.plan(p, x, 0)
}

func TestTheConsumerProtocolIsWhatTheReferenceCodecWrites(t *testing.T) {
	for version := range int16(consumerProtocol + 1) {
		fill := newFiller(1, int(version), 7)
		for range rounds {
			sub := Default[ConsumerProtocolSubscription]()
			fill.bare(&sub, version)
			got, err := sub.Append([]byte("x"), version)
			if err != nil {
				t.Fatal(err)
			}
			ref := kmsg.NewConsumerMemberMetadata()
			if err := ref.ReadFrom(got[1:]); err != nil {
				t.Fatal(err)
			}
			if want := ref.AppendTo([]byte("x")); !bytes.Equal(got, want) || ref.Version != version {
				t.Fatalf("version %d: %+v\n got %x\nwant %x", version, sub, got, want)
			}
			var back ConsumerProtocolSubscription
			if v, err := back.Decode(got[1:]); err != nil || v != version || !reflect.DeepEqual(back, sub) {
				t.Fatalf("version %d, %v\n got %+v\nwant %+v", v, err, back, sub)
			}

			as := Default[ConsumerProtocolAssignment]()
			fill.bare(&as, version)
			got, err = as.Append(nil, version)
			if err != nil {
				t.Fatal(err)
			}
			var refAs kmsg.ConsumerMemberAssignment
			if err := refAs.ReadFrom(got); err != nil {
				t.Fatal(err)
			}
			if want := refAs.AppendTo(nil); !bytes.Equal(got, want) {
				t.Fatalf("version %d: %+v\n got %x\nwant %x", version, as, got, want)
			}
			var asBack ConsumerProtocolAssignment
			if v, err := asBack.Decode(got); err != nil || v != version || !reflect.DeepEqual(asBack, as) {
				t.Fatalf("version %d, %v\n got %+v\nwant %+v", v, err, asBack, as)
			}
		}
	}
}

func TestStickyUserDataIsWhatTheReferenceCodecWrites(t *testing.T) {
	fill := newFiller(1, 8)
	for range rounds {
		u := Default[StickyUserData]()
		fill.bare(&u, 1)
		u.Generation = max(u.Generation, 0) // the reference writes version 0 for -1
		got, err := u.Append(nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		var ref kmsg.StickyMemberMetadata
		if err := ref.ReadFrom(got); err != nil {
			t.Fatal(err)
		}
		if want := ref.AppendTo(nil); !bytes.Equal(got, want) {
			t.Fatalf("%+v\n got %x\nwant %x", u, got, want)
		}
		var back StickyUserData
		if err := back.Decode(got); err != nil || !reflect.DeepEqual(back, u) {
			t.Fatal(back, err)
		}
		u.Generation = -1
		if err := back.Decode(got[:len(got)-4]); err != nil || !reflect.DeepEqual(back, u) {
			t.Fatalf("version 0: %+v, %v\nwant %+v", back, err, u)
		}
	}
}

func TestASubscriptionOfAnotherMakeIsRead(t *testing.T) {
	topics := []string{"t"}
	for name, b := range map[string]string{
		"newer, with more at the end":      "0007 00000001 0001 74 ffffffff 00000000 00000005 ffff c0ffee",
		"version 1 without what it brings": "0001 00000001 0001 74 ffffffff",
	} {
		var s ConsumerProtocolSubscription
		if _, err := s.Decode(unhex(b)); err != nil || !reflect.DeepEqual(s.Topics, topics) || len(s.OwnedPartitions) != 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	for name, b := range map[string]string{
		"nothing":           "",
		"negative version":  "ffff 00000000 ffffffff",
		"topics cut short":  "0000 00000002 0001 74",
		"beyond all bounds": "0000 7fffffff",
	} {
		var s ConsumerProtocolSubscription
		if _, err := s.Decode(unhex(b)); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
		var a ConsumerProtocolAssignment
		if _, err := a.Decode(unhex(b)); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// FuzzConsumerProtocol holds that what other members write harms no leader.
func FuzzConsumerProtocol(f *testing.F) {
	for version := range int16(consumerProtocol + 1) {
		s := Default[ConsumerProtocolSubscription]()
		newFiller(1, int(version), 9).bare(&s, version)
		b, err := s.Append(nil, version)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s ConsumerProtocolSubscription
		if v, err := s.Decode(b); err == nil {
			if n := held(reflect.ValueOf(s)); n > len(b) {
				t.Fatalf("%d bytes became %d", len(b), n)
			}
			if _, err := s.Append(nil, min(v, consumerProtocol)); err != nil {
				t.Fatal(err)
			}
		}
		var a ConsumerProtocolAssignment
		if _, err := a.Decode(b); err == nil && held(reflect.ValueOf(a)) > len(b) {
			t.Fatalf("%d bytes became %+v", len(b), a)
		}
		var u StickyUserData
		if err := u.Decode(b); err == nil && held(reflect.ValueOf(u)) > len(b) {
			t.Fatalf("%d bytes became %+v", len(b), u)
		}
	})
}
