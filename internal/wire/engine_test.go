package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestWhatAVersionCannotCarryIsRefusedByName(t *testing.T) {
	topic := UUID{1}
	fetch := func(change func(*FetchRequest, *FetchPartition)) Request {
		r := new(Default[FetchRequest]())
		p := Default[FetchPartition]()
		change(r, &p)
		r.Topics = []FetchTopic{{Name: "t", TopicID: topic, Partitions: []FetchPartition{p}}}
		return r
	}
	list := func(ts int64, most int32) Request {
		p := Default[ListOffsetsPartition]()
		p.Timestamp, p.MaxNumOffsets = ts, most
		return &ListOffsetsRequest{ReplicaID: -1, Topics: []ListOffsetsTopic{{Name: "t", Partitions: []ListOffsetsPartition{p}}}}
	}
	for _, test := range []struct {
		req     Request
		version int16
		want    string
	}{
		{&ProduceRequest{TransactionalID: new("x")}, 2, "ProduceRequest.TransactionalID: cannot be said in version 2"},
		{&ProduceRequest{TransactionalID: new("x")}, 3, ""},
		{fetch(func(r *FetchRequest, p *FetchPartition) {
			r.IsolationLevel, r.MaxBytes, r.RackID, r.SessionID, p.CurrentLeaderEpoch, p.LogStartOffset = 1, 9, "r", 3, 4, 5
		}), 0, ""},
		{fetch(func(r *FetchRequest, _ *FetchPartition) { r.ReplicaState.ReplicaID = 3 }), 14, "FetchRequest.ReplicaState: cannot be said in version 14"},
		{fetch(func(r *FetchRequest, _ *FetchPartition) { r.ReplicaID = 3 }), 15, "FetchRequest.ReplicaID: cannot be said in version 15"},
		{fetch(func(_ *FetchRequest, p *FetchPartition) { p.LastFetchedEpoch = 3 }), 11, "FetchRequest.Topics[0].Partitions[0].LastFetchedEpoch: cannot be said in version 11"},
		{fetch(func(r *FetchRequest, _ *FetchPartition) { r.ForgottenTopics = []ForgottenTopic{{}} }), 6, "FetchRequest.ForgottenTopics: cannot be said in version 6"},
		{fetch(func(r *FetchRequest, _ *FetchPartition) { r.ForgottenTopics = []ForgottenTopic{} }), 6, ""},
		{list(LatestTimestamp, 5), 1, "ListOffsetsRequest.Topics[0].Partitions[0].MaxNumOffsets: cannot be said in version 1"},
		{list(LatestTimestamp, 5), 0, ""},
		{list(MaxTimestamp, 1), 6, "ListOffsetsRequest.Topics[0].Partitions[0].Timestamp: -3 cannot be said in version 6"},
		{list(MaxTimestamp, 1), 7, ""},
		{list(EarliestLocalTimestamp, 1), 7, "ListOffsetsRequest.Topics[0].Partitions[0].Timestamp: -4 cannot be said in version 7"},
		{list(LatestTieredTimestamp, 1), 8, "ListOffsetsRequest.Topics[0].Partitions[0].Timestamp: -5 cannot be said in version 8"},
		{list(EarliestPendingUpload, 1), 10, "ListOffsetsRequest.Topics[0].Partitions[0].Timestamp: -6 cannot be said in version 10"},
		{list(-7, 1), 11, "ListOffsetsRequest.Topics[0].Partitions[0].Timestamp: -7 cannot be said in version 11"},
		{&MetadataRequest{Topics: []MetadataRequestTopic{}}, 0, "MetadataRequest.Topics: asking for no topics cannot be said in version 0"},
		{&MetadataRequest{Topics: []MetadataRequestTopic{}}, 1, ""},
		{&MetadataRequest{AllowAutoTopicCreation: true}, 3, ""},
		{&MetadataRequest{IncludeClusterAuthorizedOperations: true}, 11, "MetadataRequest.IncludeClusterAuthorizedOperations: cannot be said in version 11"},
		{&MetadataRequest{Topics: []MetadataRequestTopic{{TopicID: topic}}}, 11, "MetadataRequest.Topics[0]: a topic id cannot be said in version 11"},
		{&MetadataRequest{Topics: []MetadataRequestTopic{{TopicID: topic}}}, 12, ""},
		{&OffsetCommitRequest{GroupInstanceID: new("i")}, 6, "OffsetCommitRequest.GroupInstanceID: cannot be said in version 6"},
		{&OffsetCommitRequest{GenerationOrEpoch: 4, MemberID: "m", RetentionTimeMs: 5}, 0, ""},
		{&OffsetFetchRequest{RequireStable: true}, 6, "OffsetFetchRequest.RequireStable: cannot be said in version 6"},
		{&OffsetFetchRequest{Groups: make([]OffsetFetchGroup, 2)}, 7, "OffsetFetchRequest.Groups: more than one group cannot be said in version 7"},
		{&OffsetFetchRequest{Groups: make([]OffsetFetchGroup, 1)}, 1, "OffsetFetchRequest.Groups[0].Topics: asking for all cannot be said in version 1"},
		{&OffsetFetchRequest{Groups: []OffsetFetchGroup{{MemberID: new("m"), MemberEpoch: 5, Topics: []OffsetFetchTopic{}}}}, 0, ""},
		{&FindCoordinatorRequest{Keys: []string{"a", "b"}}, 3, "FindCoordinatorRequest.Keys: more than one key cannot be said in version 3"},
		{&FindCoordinatorRequest{Keys: []string{"a", "b"}}, 4, ""},
		{&FindCoordinatorRequest{Keys: []string{"a"}, KeyType: CoordinatorTransaction}, 0, "FindCoordinatorRequest.KeyType: cannot be said in version 0"},
		{&FindCoordinatorRequest{Keys: []string{"a"}, KeyType: CoordinatorTransaction}, 1, ""},
		{&FindCoordinatorRequest{Keys: []string{"a"}, KeyType: CoordinatorShare}, 5, "FindCoordinatorRequest.KeyType: a share group cannot be said in version 5"},
		{&FindCoordinatorRequest{SingleKey: "a"}, 4, "FindCoordinatorRequest.SingleKey: cannot be said in version 4"},
		{&CreateTopicsRequest{Topics: []CreatableTopic{{NumPartitions: -1, ReplicationFactor: 1}}}, 3, "CreateTopicsRequest.Topics[0]: the broker's default cannot be said in version 3"},
		{&CreateTopicsRequest{Topics: []CreatableTopic{{NumPartitions: -1, ReplicationFactor: -1, Assignments: make([]CreatableReplicaAssignment, 1)}}}, 3, ""},
		{&CreateTopicsRequest{ValidateOnly: true}, 0, "CreateTopicsRequest.ValidateOnly: cannot be said in version 0"},
		{&InitProducerIDRequest{ProducerID: 4, ProducerEpoch: -1}, 2, "InitProducerIDRequest.ProducerID: cannot be said in version 2"},
		{&InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1, KeepPreparedTxn: true}, 5, "InitProducerIDRequest.KeepPreparedTxn: cannot be said in version 5"},
		{&ApiVersionsRequest{ClientSoftwareName: "kafkactl", ClientSoftwareVersion: "1", ClusterID: new("c"), NodeID: 3}, 0, ""},
	} {
		f := Frame{Head: []byte("old")}
		err := AppendRequest(&f, test.req, test.version, 7, "kc")
		if text(err) != test.want || (err != nil) != errors.Is(err, ErrVersion) {
			t.Errorf("%T version %d: %q, want %q", test.req, test.version, text(err), test.want)
		}
		if err != nil && (len(f.Head) > 0 || len(f.Parts) > 0) {
			t.Errorf("%T version %d: an error left %x in the frame", test.req, test.version, f.Head)
		}
	}
}

func TestTopicsAreNamedTheWayTheVersionNamesThem(t *testing.T) {
	id := UUID{0x11, 0x12}
	type request interface {
		Adapter
		Capper
	}
	for _, test := range []struct {
		make func(name string, id UUID) request
		ids  int16 // the first version with ids
	}{
		{func(name string, id UUID) request {
			return &ProduceRequest{Topics: []ProduceTopic{{Name: name, TopicID: id}}}
		}, 13},
		{func(name string, id UUID) request {
			return new(with(func(r *FetchRequest) { r.Topics = []FetchTopic{{Name: name, TopicID: id}} }))
		}, 13},
		{func(name string, id UUID) request {
			return &OffsetCommitRequest{Topics: []OffsetCommitTopic{{Name: name, TopicID: id}}}
		}, 10},
		{func(name string, id UUID) request {
			return &OffsetFetchRequest{Groups: []OffsetFetchGroup{{Topics: []OffsetFetchTopic{{Name: name, TopicID: id}}}}}
		}, 10},
	} {
		both, named, identified := test.make("orders", id), test.make("orders", UUID{}), test.make("", id)
		if both.Cap() < test.ids || identified.Cap() < test.ids || named.Cap() != test.ids-1 {
			t.Errorf("%T: caps %d, %d and %d", both, both.Cap(), identified.Cap(), named.Cap())
		}
		for _, try := range []struct {
			req     request
			version int16
			want    string
		}{
			{both, test.ids - 1, ""}, {both, test.ids, ""}, {named, test.ids - 1, ""}, {identified, test.ids, ""},
			{named, test.ids, `Topics[0]: topic "orders" without its id cannot be said in version `},
			{identified, test.ids - 1, `Topics[0]: topic ERIAAAAAAAAAAAAAAAAAAA without its name cannot be said in version `},
		} {
			var f Frame
			err := AppendRequest(&f, try.req, try.version, 7, "kc")
			if try.want == "" && err != nil || !strings.Contains(text(err), try.want) {
				t.Errorf("%T version %d: %v", try.req, try.version, err)
			}
		}
	}
}

func TestAdaptersLeaveTheRequestAlone(t *testing.T) {
	req := &OffsetFetchRequest{Groups: []OffsetFetchGroup{{GroupID: "g", MemberEpoch: -1}}}
	for _, version := range []int16{2, 7, 8, 9} {
		var f Frame
		if err := AppendRequest(&f, req, version, 7, "kc"); err != nil {
			t.Fatal(err)
		}
		_, back, err := DecodeRequest(NewBytesReader(f.Head[4:]))
		if err != nil {
			t.Fatal(err)
		}
		got := back.(*OffsetFetchRequest)
		if version < 8 && (got.GroupID != "g" || got.Topics != nil) || version >= 8 && !reflect.DeepEqual(got.Groups, req.Groups) {
			t.Errorf("version %d: %+v", version, got)
		}
	}
	if req.GroupID != "" || len(req.Groups) != 1 {
		t.Errorf("changed: %+v", req)
	}
	if old, err := new(with(func(r *OffsetFetchRequest) { r.Groups, r.RequireStable = req.Groups, true })).At(7); err != nil || !old.(*OffsetFetchRequest).RequireStable {
		t.Errorf("version 7 does not ask for stable offsets: %+v, %v", old, err)
	}
}

func TestNullIsSentWhereItIsAllowedAndEmptyElsewhere(t *testing.T) {
	topics := func(ids ...UUID) *MetadataResponse {
		m := new(Default[MetadataResponse]())
		for _, id := range ids {
			m.Topics = append(m.Topics, with(func(mt *MetadataTopic) { mt.TopicID = id }))
		}
		return m
	}
	for _, test := range []struct {
		resp    Response
		version int16
		want    string // the body
	}{
		{topics(UUID{}), 0, "00000000" + "00000001" + "0000" + "0000" + "00000000"}, // name empty
		{topics(), 2, "00000000" + "ffff" + "ffffffff" + "00000000"},                // cluster id null
		{topics(), 9, "00000000" + "01" + "00" + "ffffffff" + "01" + "80000000" + "00"},
		{&FindCoordinatorResponse{}, 1, "00000000" + "0000" + "ffff" + "00000000" + "0000" + "00000000"},
		{&FindCoordinatorResponse{}, 3, "00000000" + "0000" + "00" + "00000000" + "01" + "00000000" + "00"},
		{&FindCoordinatorResponse{ErrorMessage: new("")}, 3, "00000000" + "0000" + "01" + "00000000" + "01" + "00000000" + "00"},
	} {
		if got := hex.EncodeToString(bodyOf(t, test.resp, test.version)); got != test.want {
			t.Errorf("%T version %d: %s, want %s", test.resp, test.version, got, test.want)
		}
	}
}

func TestEncodingIntoAUsedFrameAllocatesNothing(t *testing.T) {
	req := new(Default[FetchRequest]())
	req.Topics = []FetchTopic{{Name: "t", TopicID: UUID{1}}}
	for i := range int32(100) {
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, with(func(p *FetchPartition) { p.Index = (i + 40) % 100 }))
	}
	produce := &ProduceRequest{Topics: []ProduceTopic{{Name: "t", TopicID: UUID{1}, Partitions: []ProducePartition{{Records: helloSet}}}}}
	for _, r := range []Request{req, produce, &MetadataRequest{}} {
		for _, version := range []int16{0, 12, 13} {
			var f Frame
			n := testing.AllocsPerRun(10, func() {
				if err := AppendRequest(&f, r, version, 7, "kc"); err != nil {
					t.Fatal(err)
				}
			})
			if n > 0 {
				t.Errorf("%T version %d: %v allocations", r, version, n)
			}
		}
	}
}

func TestSchemasThatCannotWorkAreFound(t *testing.T) {
	type inner struct{ Records Records }
	for _, test := range []struct {
		message any
		want    string
	}{
		{struct{ A float64 }{}, "a float64 cannot travel"},
		{struct{ A *int32 }{}, "a *int32 cannot travel"},
		{struct{ A []map[int]int }{}, "a map[int]int cannot travel"},
		{struct{ a int8 }{}, "unexported"},
		{struct {
			A int8 `kafka:"x+"`
		}{}, `tag "x+"`},
		{struct {
			A int8 `kafka:"default=128"`
		}{}, "out of range"},
		{struct {
			A string `kafka:"default=x"`
		}{}, "takes no default"},
		{struct {
			A int8 `kafka:"tag=0"`
		}{}, "tagged in version 0, which is not flexible"},
		{struct {
			A int8 `kafka:"tag=3,9+"`
			B int8 `kafka:"tag=3,9+"`
		}{}, "tag 3 given twice"},
		{struct {
			A []inner `kafka:"tag=3,9+"`
		}{}, "records in a tagged field"},
		{"text", "no struct"},
	} {
		var err error
		for _, version := range []int16{0, 9} {
			_, e := planOf(reflect.TypeOf(test.message), version, 9)
			err = errors.Join(err, e)
		}
		if !strings.Contains(text(err), test.want) {
			t.Errorf("%T: %v, want %q", test.message, err, test.want)
		}
	}
}

func TestTaggedFieldsGoInOrderAndOnlyWithNews(t *testing.T) {
	type message struct {
		C []int8  `kafka:"tag=200,null=0+"`
		A int8    `kafka:"tag=0,default=-1"`
		B *string `kafka:"tag=3,null=0+"`
		D []int8  `kafka:"tag=4"`
	}
	for _, test := range []struct {
		message message
		want    string
	}{
		{message{A: -1}, "00"},
		{message{}, "01 00 01 00"},
		{message{A: -1, C: []int8{}, D: []int8{}}, "01 c801 01 01"}, // empty is not null
		{message{A: -1, B: new(""), C: []int8{7}, D: []int8{8}}, "03 03 01 01 04 02 02 08 c801 02 02 07"},
	} {
		p, err := planOf(reflect.TypeFor[message](), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		e := encoder{flex: true}
		if err := e.message(p, reflect.ValueOf(&test.message).Elem()); err != nil {
			t.Fatal(err)
		}
		if want := unhex(test.want); !bytes.Equal(e.b, want) {
			t.Errorf("%+v: %x, want %x", test.message, e.b, want)
		}
	}
}

func TestDefaultsReachNestedStructs(t *testing.T) {
	got := Default[FetchRequest]()
	if got.ReplicaID != -1 || got.MaxBytes != 1<<31-1 || got.SessionEpoch != -1 || got.ReplicaState != (ReplicaState{-1, -1}) {
		t.Errorf("%+v", got)
	}
	got.ReplicaState.ReplicaID = 5 // a copy
	if Default[FetchRequest]().ReplicaState.ReplicaID != -1 {
		t.Error("the default was changed")
	}
}

func TestAStructIsNullOnlyWhereItMayBe(t *testing.T) {
	type inner struct{ N int32 }
	type message struct {
		May  *inner `kafka:"1+,null=1+"`
		Must *inner
	}
	p, err := planOf(reflect.TypeFor[message](), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	var e encoder
	if err := e.message(p, reflect.ValueOf(message{})); !errors.Is(err, errNoNull) || err.Error() != "Must: "+errNoNull.Error() {
		t.Error(err)
	}
	e = encoder{flex: true}
	want := message{Must: &inner{7}}
	if err := e.message(p, reflect.ValueOf(want)); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(e.b); got != "ff01000000070000" {
		t.Error(got)
	}
	stale := &inner{5}
	got := message{May: stale, Must: stale}
	d := decoder{r: NewBytesReader(e.b)}
	if err := d.message(p, reflect.ValueOf(&got).Elem()); err != nil || !reflect.DeepEqual(got, want) || stale.N != 5 {
		t.Errorf("%+v, %v; the old one is %+v", got, err, stale)
	}
	d = decoder{r: NewBytesReader([]byte{0xff, 0xff})}
	if err := d.message(p, reflect.ValueOf(&got).Elem()); !errors.Is(err, errNoNull) {
		t.Error(err)
	}
}
