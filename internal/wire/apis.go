package wire

// API is one row of the table of what we speak: the window of versions we can
// choose from and the first flexible one (KIP-482).
type API struct {
	Key            Key
	Name           string // Kafka's own, as in the protocol guide
	Min, Max, Flex int16
	Repeat         bool // may be sent twice without asking: it changes nothing, or the same thing
	Request        func() Request
	Response       func() Response
}

var apis = []API{
	{Produce, "Produce", 0, 13, 9, false, fresh[ProduceRequest, Request], fresh[ProduceResponse, Response]},
	{Fetch, "Fetch", 0, 18, 12, false, fresh[FetchRequest, Request], fresh[FetchResponse, Response]},
	{ListOffsets, "ListOffsets", 0, 11, 6, true, fresh[ListOffsetsRequest, Request], fresh[ListOffsetsResponse, Response]},
	{Metadata, "Metadata", 0, 13, 9, true, fresh[MetadataRequest, Request], fresh[MetadataResponse, Response]},
	{OffsetCommit, "OffsetCommit", 0, 10, 8, true, fresh[OffsetCommitRequest, Request], fresh[OffsetCommitResponse, Response]},
	{OffsetFetch, "OffsetFetch", 0, 10, 6, true, fresh[OffsetFetchRequest, Request], fresh[OffsetFetchResponse, Response]},
	{FindCoordinator, "FindCoordinator", 0, 6, 3, true, fresh[FindCoordinatorRequest, Request], fresh[FindCoordinatorResponse, Response]},
	{JoinGroup, "JoinGroup", 0, 9, 6, false, fresh[JoinGroupRequest, Request], fresh[JoinGroupResponse, Response]},
	{Heartbeat, "Heartbeat", 0, 4, 4, true, fresh[HeartbeatRequest, Request], fresh[HeartbeatResponse, Response]},
	{LeaveGroup, "LeaveGroup", 0, 5, 4, true, fresh[LeaveGroupRequest, Request], fresh[LeaveGroupResponse, Response]},
	{SyncGroup, "SyncGroup", 0, 5, 4, true, fresh[SyncGroupRequest, Request], fresh[SyncGroupResponse, Response]},
	{DescribeGroups, "DescribeGroups", 0, 6, 5, true, fresh[DescribeGroupsRequest, Request], fresh[DescribeGroupsResponse, Response]},
	{ListGroups, "ListGroups", 0, 5, 3, true, fresh[ListGroupsRequest, Request], fresh[ListGroupsResponse, Response]},
	{APIVersions, "ApiVersions", 0, 5, 3, true, fresh[ApiVersionsRequest, Request], fresh[ApiVersionsResponse, Response]},
	{CreateTopics, "CreateTopics", 0, 7, 5, false, fresh[CreateTopicsRequest, Request], fresh[CreateTopicsResponse, Response]},
	{InitProducerID, "InitProducerId", 0, 6, 2, true, fresh[InitProducerIDRequest, Request], fresh[InitProducerIDResponse, Response]},
	{OffsetForLeaderEpoch, "OffsetForLeaderEpoch", 0, 4, 4, true, fresh[OffsetForLeaderEpochRequest, Request], fresh[OffsetForLeaderEpochResponse, Response]},
	{AddPartitionsToTxn, "AddPartitionsToTxn", 0, 5, 3, true, fresh[AddPartitionsToTxnRequest, Request], fresh[AddPartitionsToTxnResponse, Response]},
	{AddOffsetsToTxn, "AddOffsetsToTxn", 0, 4, 3, true, fresh[AddOffsetsToTxnRequest, Request], fresh[AddOffsetsToTxnResponse, Response]},
	{EndTxn, "EndTxn", 0, 5, 3, false, fresh[EndTxnRequest, Request], fresh[EndTxnResponse, Response]},
	{TxnOffsetCommit, "TxnOffsetCommit", 0, 6, 3, true, fresh[TxnOffsetCommitRequest, Request], fresh[TxnOffsetCommitResponse, Response]},
	{DeleteGroups, "DeleteGroups", 0, 3, 2, false, fresh[DeleteGroupsRequest, Request], fresh[DeleteGroupsResponse, Response]},
	{OffsetDelete, "OffsetDelete", 0, 0, noFlex, true, fresh[OffsetDeleteRequest, Request], fresh[OffsetDeleteResponse, Response]},
	{ConsumerGroupHeartbeat, "ConsumerGroupHeartbeat", 0, 1, 0, false, fresh[ConsumerGroupHeartbeatRequest, Request], fresh[ConsumerGroupHeartbeatResponse, Response]},
	{ConsumerGroupDescribe, "ConsumerGroupDescribe", 0, 1, 0, true, fresh[ConsumerGroupDescribeRequest, Request], fresh[ConsumerGroupDescribeResponse, Response]},
	{ShareGroupDescribe, "ShareGroupDescribe", 1, 1, 0, true, fresh[ShareGroupDescribeRequest, Request], fresh[ShareGroupDescribeResponse, Response]},
}

// noFlex is the first flexible version of an API that has none.
const noFlex = maxVersions

// APIs lists every API we speak, by key.
func APIs() []API { return apis }

// Lookup finds the row of an API.
func Lookup(key Key) (API, bool) {
	for i := range apis {
		if apis[i].Key == key {
			return apis[i], true
		}
	}
	return API{}, false
}

// String is the API's name in the protocol guide.
func (k Key) String() string {
	if a, ok := Lookup(k); ok {
		return a.Name
	}
	return "API " + itoa(int(k))
}

// fresh makes a message with its defaults filled in.
func fresh[T any, I any]() I {
	v := Default[T]()
	return any(&v).(I)
}

// Key implements Request.
func (*ProduceRequest) Key() Key { return Produce }

// Key implements Response.
func (*ProduceResponse) Key() Key { return Produce }

// Key implements Request.
func (*FetchRequest) Key() Key { return Fetch }

// Key implements Response.
func (*FetchResponse) Key() Key { return Fetch }

// Key implements Request.
func (*ListOffsetsRequest) Key() Key { return ListOffsets }

// Key implements Response.
func (*ListOffsetsResponse) Key() Key { return ListOffsets }

// Key implements Request.
func (*MetadataRequest) Key() Key { return Metadata }

// Key implements Response.
func (*MetadataResponse) Key() Key { return Metadata }

// Key implements Request.
func (*OffsetCommitRequest) Key() Key { return OffsetCommit }

// Key implements Response.
func (*OffsetCommitResponse) Key() Key { return OffsetCommit }

// Key implements Request.
func (*OffsetFetchRequest) Key() Key { return OffsetFetch }

// Key implements Response.
func (*OffsetFetchResponse) Key() Key { return OffsetFetch }

// Key implements Request.
func (*FindCoordinatorRequest) Key() Key { return FindCoordinator }

// Key implements Response.
func (*FindCoordinatorResponse) Key() Key { return FindCoordinator }

// Key implements Request.
func (*ApiVersionsRequest) Key() Key { return APIVersions }

// Key implements Response.
func (*ApiVersionsResponse) Key() Key { return APIVersions }

// Key implements Request.
func (*CreateTopicsRequest) Key() Key { return CreateTopics }

// Key implements Response.
func (*CreateTopicsResponse) Key() Key { return CreateTopics }

// Key implements Request.
func (*InitProducerIDRequest) Key() Key { return InitProducerID }

// Key implements Response.
func (*InitProducerIDResponse) Key() Key { return InitProducerID }

// Key implements Request.
func (*DescribeGroupsRequest) Key() Key { return DescribeGroups }

// Key implements Response.
func (*DescribeGroupsResponse) Key() Key { return DescribeGroups }

// Key implements Request.
func (*ListGroupsRequest) Key() Key { return ListGroups }

// Key implements Response.
func (*ListGroupsResponse) Key() Key { return ListGroups }

// Key implements Request.
func (*DeleteGroupsRequest) Key() Key { return DeleteGroups }

// Key implements Response.
func (*DeleteGroupsResponse) Key() Key { return DeleteGroups }

// Key implements Request.
func (*OffsetDeleteRequest) Key() Key { return OffsetDelete }

// Key implements Response.
func (*OffsetDeleteResponse) Key() Key { return OffsetDelete }

// Key implements Request.
func (*JoinGroupRequest) Key() Key { return JoinGroup }

// Key implements Response.
func (*JoinGroupResponse) Key() Key { return JoinGroup }

// Key implements Request.
func (*HeartbeatRequest) Key() Key { return Heartbeat }

// Key implements Response.
func (*HeartbeatResponse) Key() Key { return Heartbeat }

// Key implements Request.
func (*LeaveGroupRequest) Key() Key { return LeaveGroup }

// Key implements Response.
func (*LeaveGroupResponse) Key() Key { return LeaveGroup }

// Key implements Request.
func (*SyncGroupRequest) Key() Key { return SyncGroup }

// Key implements Response.
func (*SyncGroupResponse) Key() Key { return SyncGroup }

// Key implements Request.
func (*OffsetForLeaderEpochRequest) Key() Key { return OffsetForLeaderEpoch }

// Key implements Response.
func (*OffsetForLeaderEpochResponse) Key() Key { return OffsetForLeaderEpoch }

// Key implements Request.
func (*ConsumerGroupHeartbeatRequest) Key() Key { return ConsumerGroupHeartbeat }

// Key implements Response.
func (*ConsumerGroupHeartbeatResponse) Key() Key { return ConsumerGroupHeartbeat }

// Key implements Request.
func (*ConsumerGroupDescribeRequest) Key() Key { return ConsumerGroupDescribe }

// Key implements Response.
func (*ConsumerGroupDescribeResponse) Key() Key { return ConsumerGroupDescribe }

// Key implements Request.
func (*ShareGroupDescribeRequest) Key() Key { return ShareGroupDescribe }

// Key implements Response.
func (*ShareGroupDescribeResponse) Key() Key { return ShareGroupDescribe }
