package wire

import (
	"fmt"
	"slices"
	"testing"
)

// TestWhatNoBrokerCanMeanIsRefused has answers that are well formed, and not
// possible, decoded: the error names the field.
func TestWhatNoBrokerCanMeanIsRefused(t *testing.T) {
	metadata := func(ids ...int32) *MetadataResponse {
		resp, topic := Default[MetadataResponse](), Default[MetadataTopic]()
		topic.Name = new("a")
		for _, id := range ids {
			p := Default[MetadataPartition]()
			p.Index = id
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = []MetadataTopic{topic}
		return &resp
	}
	many := make([]int32, 100)
	for i := range many {
		many[i] = int32(i)
	}
	produced := func(ids ...int32) *ProduceResponse {
		topic := ProduceTopicResult{Name: "a"}
		for _, id := range ids {
			p := Default[ProducePartitionResult]()
			p.Index = id
			topic.Partitions = append(topic.Partitions, p)
		}
		return &ProduceResponse{Topics: []ProduceTopicResult{topic}}
	}
	listed := func(offset int64, old ...int64) *ListOffsetsResponse {
		p := Default[ListOffsetsPartitionResult]()
		p.Offset, p.OldStyleOffsets = offset, old
		return &ListOffsetsResponse{Topics: []ListOffsetsTopicResult{{Partitions: []ListOffsetsPartitionResult{p}}}}
	}
	joined := Default[JoinGroupResponse]()
	joined.ProtocolName, joined.Members = new(""), []JoinGroupMember{{MemberID: "m"}, {MemberID: "m"}}
	for _, tt := range []struct {
		resp    Response
		version int16
		want    string // "" for nothing wrong
	}{
		{metadata(3, 0, 1), 1, ""},
		{metadata(many...), 1, ""},
		{metadata(0, -1), 1, "MetadataResponse.Topics[0].Partitions[1].Index: -1, where 0 is the least"},
		{metadata(2, 0, 2), 1, "MetadataResponse.Topics[0].Partitions[2]: 2 is already in [0]"},
		{metadata(slices.Concat(many, many[7:8])...), 1, "MetadataResponse.Topics[0].Partitions[100]: 7 is already in [7]"},
		{produced(2, 0), 3, ""},
		{produced(2, 2), 3, "ProduceResponse.Topics[0].Partitions[1]: 2 is already in [0]"},
		{&ProduceResponse{Topics: []ProduceTopicResult{{Name: "a"}, {Name: "b"}}}, 3, ""},
		{&ProduceResponse{Topics: []ProduceTopicResult{{Name: "a"}, {Name: "a"}}}, 3, "ProduceResponse.Topics[1]: a is already in [0]"},
		{&ProduceResponse{Topics: []ProduceTopicResult{{TopicID: UUID{1}}, {TopicID: UUID{2}}}}, 13, ""},
		{listed(-1), 1, ""},
		{listed(-2), 1, "ListOffsetsResponse.Topics[0].Partitions[0].Offset: -2, where -1 is the least"},
		{listed(-1, 4, -1), 0, "ListOffsetsResponse.Topics[0].Partitions[0].OldStyleOffsets[1]: -1, where 0 is the least"},
		{&joined, 0, "JoinGroupResponse.Members[1]: m is already in [0]"},
	} {
		api, _ := Lookup(tt.resp.Key())
		got := api.Response()
		err := Decode(NewBytesReader(bodyOf(t, tt.resp, tt.version)), tt.version, got, nil)
		if text(err) != tt.want && !(err == nil && tt.want == "") {
			t.Errorf("%s: %v, want %s", fmt.Sprintf("%T v%d", tt.resp, tt.version), err, tt.want)
		}
	}
}
