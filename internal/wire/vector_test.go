package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// vector reads testdata/wire/NAME.hex: hex digits in any layout, # begins a comment.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "wire", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sends checks that req is, byte for byte, what the vector says.
func sends(t *testing.T, name string, req Request, version int16) {
	t.Helper()
	var f Frame
	if err := AppendRequest(&f, req, version, 7, "kc"); err != nil {
		t.Fatal(err)
	}
	if got, want := flat(&f), vector(t, name); !bytes.Equal(got, want) {
		t.Fatalf("%s:\n got %x\nwant %x", name, got, want)
	}
}

// reads checks that the vector, correlation 7, means want, and is what a
// scripted broker sends for it.
func reads(t *testing.T, name string, want Response, version int16) {
	t.Helper()
	frame := vector(t, name)
	r := NewBytesReader(frame[4:])
	correlation, err := DecodeResponseHeader(r, want.Key(), version)
	if err != nil || correlation != 7 {
		t.Fatalf("%s: correlation %d, %v", name, correlation, err)
	}
	api, _ := Lookup(want.Key())
	got := api.Response()
	if err := Decode(r, version, got, nil); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", name, got, want)
	}
	if strings.HasPrefix(name, "flexible") {
		return // it has fields we do not know, which we do not send
	}
	var f Frame
	if err := AppendResponse(&f, want, version, 7); err != nil {
		t.Fatal(err)
	}
	if got := flat(&f); !bytes.Equal(got, frame) {
		t.Fatalf("%s:\n got %x\nwant %x", name, got, frame)
	}
}

// with is the default T, changed.
func with[T any](change func(*T)) T {
	v := Default[T]()
	change(&v)
	return v
}

var helloSet, _ = hex.DecodeString("00000000000000000000001387a77ab20000ffffffff0000000568656c6c6f")

func TestS07StringsOver32767BytesAreRefused(t *testing.T) {
	var f Frame
	group := func(n int) Request { return &OffsetFetchRequest{GroupID: strings.Repeat("g", n)} }
	if err := AppendRequest(&f, group(32767), 0, 7, "kc"); err != nil {
		t.Error(err)
	}
	err := AppendRequest(&f, group(32768), 0, 7, "kc")
	if !errors.Is(err, errString) || !strings.HasPrefix(err.Error(), "OffsetFetchRequest.GroupID: ") {
		t.Error(err)
	}
	if err := AppendRequest(&f, group(1), 0, 7, strings.Repeat("c", 32768)); !errors.Is(err, errString) {
		t.Errorf("client id: %v", err)
	}
}

func TestS07DuplicateTopicsAndPartitionsAreRefused(t *testing.T) {
	fetch := func(topics ...FetchTopic) *FetchRequest {
		return new(with(func(r *FetchRequest) { r.Topics = topics }))
	}
	topic := func(name string, partitions ...int32) FetchTopic {
		ft := FetchTopic{Name: name, TopicID: UUID{0: name[0]}}
		for _, p := range partitions {
			ft.Partitions = append(ft.Partitions, with(func(fp *FetchPartition) { fp.Index = p }))
		}
		return ft
	}
	var many []int32
	for i := range int32(100) {
		many = append(many, i*37%100) // each once, in no order
	}
	for _, test := range []struct {
		req  *FetchRequest
		want string
	}{
		{fetch(topic("t", 0, 1, 2), topic("u", 0, 1, 2)), ""},
		{fetch(topic("t", 2, 3, 0, 1)), ""},
		{fetch(topic("t", 3, 1, 2, 0)), ""},
		{fetch(topic("t", many...)), ""},
		{fetch(topic("t", 0, 1, 1)), "FetchRequest.Topics[0].Partitions[2]: 1 is already in [1]"},
		{fetch(topic("t", 1, 2, 0, 1)), "FetchRequest.Topics[0].Partitions[3]: 1 is already in [0]"},
		{fetch(topic("t", append(many, 7)...)), "FetchRequest.Topics[0].Partitions[100]: 7 is already in [11]"},
		{fetch(topic("t"), topic("u"), topic("t")), "FetchRequest.Topics[2]: t is already in [0]"},
	} {
		for _, version := range []int16{0, 18} {
			var f Frame
			err := AppendRequest(&f, test.req, version, 7, "kc")
			want := test.want
			if version >= 13 {
				want = strings.Replace(want, "t is", UUID{0: 't'}.String()+" is", 1)
			}
			if got := text(err); got != want {
				t.Errorf("version %d: %q, want %q", version, got, want)
			}
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestS08MetadataIsWhatOldBrokersSpeak(t *testing.T) {
	sends(t, "s08-metadata-request", &MetadataRequest{Topics: []MetadataRequestTopic{{Name: new("t")}}}, 0)
	reads(t, "s08-metadata-response", &MetadataResponse{
		ControllerID:                -1,
		ClusterAuthorizedOperations: -2147483648,
		Brokers:                     []MetadataBroker{{NodeID: 1, Host: "h1", Port: 9092}, {NodeID: 2, Host: "h2", Port: 9093}},
		Topics: []MetadataTopic{
			{Name: new("t"), TopicAuthorizedOperations: -2147483648, Partitions: []MetadataPartition{
				{ErrorCode: ReplicaNotAvailable, LeaderID: 1, LeaderEpoch: -1, ReplicaNodes: []int32{1, 2}, IsrNodes: []int32{1}},
				{ErrorCode: LeaderNotAvailable, Index: 1, LeaderID: -1, LeaderEpoch: -1, ReplicaNodes: []int32{}, IsrNodes: []int32{}},
			}},
			{ErrorCode: UnknownTopicOrPartition, Name: new("u"), TopicAuthorizedOperations: -2147483648, Partitions: []MetadataPartition{}},
		},
	}, 0)
}

func TestS08MetadataOfAllTopics(t *testing.T) {
	for version, want := range map[int16]string{0: "00000000", 1: "ffffffff"} {
		var f Frame
		if err := AppendRequest(&f, &MetadataRequest{}, version, 7, "kc"); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(f.Head[len(f.Head)-4:]); got != want {
			t.Errorf("version %d: %s", version, got)
		}
	}
}

func TestS09ProduceIsWhatOldBrokersSpeak(t *testing.T) {
	req := &ProduceRequest{Acks: 1, TimeoutMs: 1000, Topics: []ProduceTopic{
		{Name: "t", Partitions: []ProducePartition{{Index: 0, Records: helloSet}}}}}
	sends(t, "s09-produce-request", req, 0)
	reads(t, "s09-produce-response", &ProduceResponse{Topics: []ProduceTopicResult{{Name: "t", Partitions: []ProducePartitionResult{
		with(func(p *ProducePartitionResult) { p.BaseOffset = 42 }),
		with(func(p *ProducePartitionResult) { p.Index, p.ErrorCode, p.BaseOffset = 1, MessageTooLarge, -1 }),
	}}}}, 0)

	var f Frame
	if err := AppendRequest(&f, req, 0, 7, "kc"); err != nil {
		t.Fatal(err)
	}
	if len(f.Parts) != 1 || &f.Parts[0].Bytes[0] != &helloSet[0] {
		t.Error("the records were copied")
	}
}

func TestS10FetchIsWhatOldBrokersSpeak(t *testing.T) {
	sends(t, "s10-fetch-request", new(with(func(r *FetchRequest) {
		r.MaxWaitMs, r.MinBytes = 100, 1
		r.IsolationLevel, r.RackID, r.MaxBytes = 1, "rack", 1<<20 // what version 0 cannot say goes unsaid
		r.Topics = []FetchTopic{{Name: "t", Partitions: []FetchPartition{
			with(func(p *FetchPartition) { p.FetchOffset, p.MaxBytes = 5, 1024 })}}}
	})), 0)
	set := bytes.Clone(helloSet)
	set[7] = 5
	reads(t, "s10-fetch-response", &FetchResponse{Topics: []FetchTopicResult{{Name: "t", Partitions: []FetchPartitionResult{
		with(func(p *FetchPartitionResult) { p.HighWatermark, p.Records = 6, set }),
		with(func(p *FetchPartitionResult) {
			p.Index, p.ErrorCode, p.HighWatermark, p.Records = 1, OffsetOutOfRange, -1, Records{}
		}),
	}}}}, 0)
}

func TestS11ListOffsetsIsWhatOldBrokersSpeak(t *testing.T) {
	sends(t, "s11-listoffsets-request", new(with(func(r *ListOffsetsRequest) {
		r.Topics = []ListOffsetsTopic{{Name: "t", Partitions: []ListOffsetsPartition{
			with(func(p *ListOffsetsPartition) { p.Timestamp = LatestTimestamp })}}}
	})), 0)
	reads(t, "s11-listoffsets-response", &ListOffsetsResponse{Topics: []ListOffsetsTopicResult{{Name: "t", Partitions: []ListOffsetsPartitionResult{
		with(func(p *ListOffsetsPartitionResult) { p.OldStyleOffsets = []int64{300, 200, 0} }),
	}}}}, 0)
}

func TestS12OffsetCommitIsWhatOldBrokersSpeak(t *testing.T) {
	sends(t, "s12-offsetcommit-request", new(with(func(r *OffsetCommitRequest) {
		r.GroupID = "g"
		r.Topics = []OffsetCommitTopic{{Name: "t", Partitions: []OffsetCommitPartition{
			with(func(p *OffsetCommitPartition) { p.CommittedOffset = 5 })}}}
	})), 0)
	reads(t, "s12-offsetcommit-response", &OffsetCommitResponse{Topics: []OffsetCommitTopicResult{
		{Name: "t", Partitions: []OffsetCommitPartitionResult{{}, {Index: 1, ErrorCode: OffsetMetadataTooLarge}}}}}, 0)
}

func TestS13OffsetFetchIsWhatOldBrokersSpeak(t *testing.T) {
	sends(t, "s13-offsetfetch-request", &OffsetFetchRequest{Groups: []OffsetFetchGroup{
		with(func(g *OffsetFetchGroup) {
			g.GroupID, g.Topics = "g", []OffsetFetchTopic{{Name: "t", Partitions: []int32{0}}}
		}),
	}}, 0)
	want := &OffsetFetchResponse{Topics: []OffsetFetchTopicResult{{Name: "t", Partitions: []OffsetFetchPartitionResult{
		{CommittedOffset: 5, CommittedLeaderEpoch: -1, Metadata: new("m")},
		{Index: 1, CommittedOffset: -1, CommittedLeaderEpoch: -1, Metadata: new(""), ErrorCode: UnknownTopicOrPartition},
	}}}}
	reads(t, "s13-offsetfetch-response", want, 0)
	if got := want.Results(0); len(got) != 1 || !reflect.DeepEqual(got[0].Topics, want.Topics) {
		t.Errorf("%+v", got)
	}
}

func TestS14ConsumerMetadataIsWhatOldBrokersSpeak(t *testing.T) {
	sends(t, "s14-consumermetadata-request", &FindCoordinatorRequest{Keys: []string{"g"}}, 0)
	want := &FindCoordinatorResponse{NodeID: 3, Host: "h", Port: 9092}
	reads(t, "s14-consumermetadata-response", want, 0)
	if got := want.Results(0); !reflect.DeepEqual(got, []Coordinator{{NodeID: 3, Host: "h", Port: 9092}}) {
		t.Errorf("%+v", got)
	}
	reads(t, "s14-consumermetadata-unavailable", &FindCoordinatorResponse{ErrorCode: CoordinatorNotAvailable, NodeID: -1, Port: -1}, 0)
}

func TestInitProducerIDVersion6(t *testing.T) {
	sends(t, "initproducerid-v6-request", &InitProducerIDRequest{
		TransactionalID: new("x"), TransactionTimeoutMs: 60000, ProducerID: 5, ProducerEpoch: 2, Enable2PC: true}, 6)
	reads(t, "initproducerid-v6-response", &InitProducerIDResponse{
		ProducerID: 5, ProducerEpoch: 3, OngoingTxnProducerID: 5, OngoingTxnProducerEpoch: 2}, 6)
}

func TestTaggedFieldsNotKnownAreSkipped(t *testing.T) {
	reads(t, "flexible-metadata-v12-response", &MetadataResponse{
		Brokers:                     []MetadataBroker{{NodeID: 1, Host: "h", Port: 9092}},
		ClusterID:                   new("c"),
		ControllerID:                1,
		ClusterAuthorizedOperations: -2147483648,
		Topics: []MetadataTopic{{
			TopicID:                   UUID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
			TopicAuthorizedOperations: -2147483648,
			Partitions: []MetadataPartition{{LeaderID: 1, LeaderEpoch: 4,
				ReplicaNodes: []int32{1}, IsrNodes: []int32{1}, OfflineReplicas: []int32{}}},
		}},
	}, 12)
}
