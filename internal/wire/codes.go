package wire

// The error codes of Kafka up to 4.4, in camel case.
const (
	UnknownServerError                     Code = -1
	None                                   Code = 0
	OffsetOutOfRange                       Code = 1
	CorruptMessage                         Code = 2
	UnknownTopicOrPartition                Code = 3
	InvalidFetchSize                       Code = 4
	LeaderNotAvailable                     Code = 5
	NotLeaderOrFollower                    Code = 6
	RequestTimedOut                        Code = 7
	BrokerNotAvailable                     Code = 8
	ReplicaNotAvailable                    Code = 9
	MessageTooLarge                        Code = 10
	StaleControllerEpoch                   Code = 11
	OffsetMetadataTooLarge                 Code = 12
	NetworkException                       Code = 13
	CoordinatorLoadInProgress              Code = 14
	CoordinatorNotAvailable                Code = 15
	NotCoordinator                         Code = 16
	InvalidTopic                           Code = 17
	RecordListTooLarge                     Code = 18
	NotEnoughReplicas                      Code = 19
	NotEnoughReplicasAfterAppend           Code = 20
	InvalidRequiredAcks                    Code = 21
	IllegalGeneration                      Code = 22
	InconsistentGroupProtocol              Code = 23
	InvalidGroupID                         Code = 24
	UnknownMemberID                        Code = 25
	InvalidSessionTimeout                  Code = 26
	RebalanceInProgress                    Code = 27
	InvalidCommitOffsetSize                Code = 28
	TopicAuthorizationFailed               Code = 29
	GroupAuthorizationFailed               Code = 30
	ClusterAuthorizationFailed             Code = 31
	InvalidTimestamp                       Code = 32
	UnsupportedSASLMechanism               Code = 33
	IllegalSASLState                       Code = 34
	UnsupportedVersion                     Code = 35
	TopicAlreadyExists                     Code = 36
	InvalidPartitions                      Code = 37
	InvalidReplicationFactor               Code = 38
	InvalidReplicaAssignment               Code = 39
	InvalidConfig                          Code = 40
	NotController                          Code = 41
	InvalidRequest                         Code = 42
	UnsupportedForMessageFormat            Code = 43
	PolicyViolation                        Code = 44
	OutOfOrderSequenceNumber               Code = 45
	DuplicateSequenceNumber                Code = 46
	InvalidProducerEpoch                   Code = 47
	InvalidTxnState                        Code = 48
	InvalidProducerIDMapping               Code = 49
	InvalidTransactionTimeout              Code = 50
	ConcurrentTransactions                 Code = 51
	TransactionCoordinatorFenced           Code = 52
	TransactionalIDAuthorizationFailed     Code = 53
	SecurityDisabled                       Code = 54
	OperationNotAttempted                  Code = 55
	KafkaStorageError                      Code = 56
	LogDirNotFound                         Code = 57
	SASLAuthenticationFailed               Code = 58
	UnknownProducerID                      Code = 59
	ReassignmentInProgress                 Code = 60
	DelegationTokenAuthDisabled            Code = 61
	DelegationTokenNotFound                Code = 62
	DelegationTokenOwnerMismatch           Code = 63
	DelegationTokenRequestNotAllowed       Code = 64
	DelegationTokenAuthorizationFailed     Code = 65
	DelegationTokenExpired                 Code = 66
	InvalidPrincipalType                   Code = 67
	NonEmptyGroup                          Code = 68
	GroupIDNotFound                        Code = 69
	FetchSessionIDNotFound                 Code = 70
	InvalidFetchSessionEpoch               Code = 71
	ListenerNotFound                       Code = 72
	TopicDeletionDisabled                  Code = 73
	FencedLeaderEpoch                      Code = 74
	UnknownLeaderEpoch                     Code = 75
	UnsupportedCompressionType             Code = 76
	StaleBrokerEpoch                       Code = 77
	OffsetNotAvailable                     Code = 78
	MemberIDRequired                       Code = 79
	PreferredLeaderNotAvailable            Code = 80
	GroupMaxSizeReached                    Code = 81
	FencedInstanceID                       Code = 82
	EligibleLeadersNotAvailable            Code = 83
	ElectionNotNeeded                      Code = 84
	NoReassignmentInProgress               Code = 85
	GroupSubscribedToTopic                 Code = 86
	InvalidRecord                          Code = 87
	UnstableOffsetCommit                   Code = 88
	ThrottlingQuotaExceeded                Code = 89
	ProducerFenced                         Code = 90
	ResourceNotFound                       Code = 91
	DuplicateResource                      Code = 92
	UnacceptableCredential                 Code = 93
	InconsistentVoterSet                   Code = 94
	InvalidUpdateVersion                   Code = 95
	FeatureUpdateFailed                    Code = 96
	PrincipalDeserializationFailure        Code = 97
	SnapshotNotFound                       Code = 98
	PositionOutOfRange                     Code = 99
	UnknownTopicID                         Code = 100
	DuplicateBrokerRegistration            Code = 101
	BrokerIDNotRegistered                  Code = 102
	InconsistentTopicID                    Code = 103
	InconsistentClusterID                  Code = 104
	TransactionalIDNotFound                Code = 105
	FetchSessionTopicIDError               Code = 106
	IneligibleReplica                      Code = 107
	NewLeaderElected                       Code = 108
	OffsetMovedToTieredStorage             Code = 109
	FencedMemberEpoch                      Code = 110
	UnreleasedInstanceID                   Code = 111
	UnsupportedAssignor                    Code = 112
	StaleMemberEpoch                       Code = 113
	MismatchedEndpointType                 Code = 114
	UnsupportedEndpointType                Code = 115
	UnknownControllerID                    Code = 116
	UnknownSubscriptionID                  Code = 117
	TelemetryTooLarge                      Code = 118
	InvalidRegistration                    Code = 119
	TransactionAbortable                   Code = 120
	InvalidRecordState                     Code = 121
	ShareSessionNotFound                   Code = 122
	InvalidShareSessionEpoch               Code = 123
	FencedStateEpoch                       Code = 124
	InvalidVoterKey                        Code = 125
	DuplicateVoter                         Code = 126
	VoterNotFound                          Code = 127
	InvalidRegularExpression               Code = 128
	RebootstrapRequired                    Code = 129
	StreamsInvalidTopology                 Code = 130
	StreamsInvalidTopologyEpoch            Code = 131
	StreamsTopologyFenced                  Code = 132
	ShareSessionLimitReached               Code = 133
	GroupDeletionFailed                    Code = 134
	StreamsTopologyDescriptionUpdateFailed Code = 135
	ControllerIDNotRegistered              Code = 136
)

// codes is what is known of each code, from -1 on. Whether an error is retriable is
// as in Kafka's Java client; the texts are our own.
var codes = [...]struct {
	name      string
	retriable bool
	text      string
}{
	UnknownServerError + 1:                     {"UNKNOWN_SERVER_ERROR", false, "the broker met an error it has no name for; its log says more"},
	None + 1:                                   {"NONE", false, "no error"},
	OffsetOutOfRange + 1:                       {"OFFSET_OUT_OF_RANGE", false, "the offset is before the first or past the last one the partition holds"},
	CorruptMessage + 1:                         {"CORRUPT_MESSAGE", true, "the record's checksum, size or missing key is not what the broker takes"},
	UnknownTopicOrPartition + 1:                {"UNKNOWN_TOPIC_OR_PARTITION", true, "this server does not host this topic-partition"},
	InvalidFetchSize + 1:                       {"INVALID_FETCH_SIZE", false, "the fetch size is no valid one"},
	LeaderNotAvailable + 1:                     {"LEADER_NOT_AVAILABLE", true, "the partition has no leader at the moment, an election may be under way"},
	NotLeaderOrFollower + 1:                    {"NOT_LEADER_OR_FOLLOWER", true, "the broker does not lead the partition, or holds no replica of it"},
	RequestTimedOut + 1:                        {"REQUEST_TIMED_OUT", true, "the broker gave up waiting for what the request needs"},
	BrokerNotAvailable + 1:                     {"BROKER_NOT_AVAILABLE", false, "the broker is not available"},
	ReplicaNotAvailable + 1:                    {"REPLICA_NOT_AVAILABLE", true, "the replica of the partition is not available"},
	MessageTooLarge + 1:                        {"MESSAGE_TOO_LARGE", false, "the record batch is larger than the broker or topic allows (max.message.bytes)"},
	StaleControllerEpoch + 1:                   {"STALE_CONTROLLER_EPOCH", false, "the controller has moved to another broker"},
	OffsetMetadataTooLarge + 1:                 {"OFFSET_METADATA_TOO_LARGE", false, "the metadata text beside the offset is too long"},
	NetworkException + 1:                       {"NETWORK_EXCEPTION", true, "the connection broke before an answer came"},
	CoordinatorLoadInProgress + 1:              {"COORDINATOR_LOAD_IN_PROGRESS", true, "the coordinator is still loading its state"},
	CoordinatorNotAvailable + 1:                {"COORDINATOR_NOT_AVAILABLE", true, "there is no coordinator at the moment"},
	NotCoordinator + 1:                         {"NOT_COORDINATOR", true, "the broker is not the coordinator, which has moved"},
	InvalidTopic + 1:                           {"INVALID_TOPIC_EXCEPTION", false, "the topic's name is not allowed, or the operation is not allowed on it"},
	RecordListTooLarge + 1:                     {"RECORD_LIST_TOO_LARGE", false, "the record batch is larger than a log segment (segment.bytes)"},
	NotEnoughReplicas + 1:                      {"NOT_ENOUGH_REPLICAS", true, "too few replicas are in sync to take the write, nothing was written (min.insync.replicas)"},
	NotEnoughReplicasAfterAppend + 1:           {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", true, "the records were written, but to fewer replicas than required (min.insync.replicas)"},
	InvalidRequiredAcks + 1:                    {"INVALID_REQUIRED_ACKS", false, "this number of acknowledgements is not supported"},
	IllegalGeneration + 1:                      {"ILLEGAL_GENERATION", false, "the group has moved on to another generation"},
	InconsistentGroupProtocol + 1:              {"INCONSISTENT_GROUP_PROTOCOL", false, "the member shares no protocol type or assignor with the group"},
	InvalidGroupID + 1:                         {"INVALID_GROUP_ID", false, "the group id is not allowed"},
	UnknownMemberID + 1:                        {"UNKNOWN_MEMBER_ID", false, "the coordinator does not know this member, or no longer"},
	InvalidSessionTimeout + 1:                  {"INVALID_SESSION_TIMEOUT", false, "the session timeout is outside of what the broker allows"},
	RebalanceInProgress + 1:                    {"REBALANCE_IN_PROGRESS", false, "the group is rebalancing, members have to join again"},
	InvalidCommitOffsetSize + 1:                {"INVALID_COMMIT_OFFSET_SIZE", false, "the offset commit is too large"},
	TopicAuthorizationFailed + 1:               {"TOPIC_AUTHORIZATION_FAILED", false, "not authorized for this topic"},
	GroupAuthorizationFailed + 1:               {"GROUP_AUTHORIZATION_FAILED", false, "not authorized for this group"},
	ClusterAuthorizationFailed + 1:             {"CLUSTER_AUTHORIZATION_FAILED", false, "not authorized for this operation on the cluster"},
	InvalidTimestamp + 1:                       {"INVALID_TIMESTAMP", false, "the record's timestamp is too far from the broker's time"},
	UnsupportedSASLMechanism + 1:               {"UNSUPPORTED_SASL_MECHANISM", false, "the broker does not offer this SASL mechanism"},
	IllegalSASLState + 1:                       {"ILLEGAL_SASL_STATE", false, "the request is out of place in the SASL exchange"},
	UnsupportedVersion + 1:                     {"UNSUPPORTED_VERSION", false, "the broker does not speak this version of the API"},
	TopicAlreadyExists + 1:                     {"TOPIC_ALREADY_EXISTS", false, "there is a topic of this name already"},
	InvalidPartitions + 1:                      {"INVALID_PARTITIONS", false, "the number of partitions is not possible"},
	InvalidReplicationFactor + 1:               {"INVALID_REPLICATION_FACTOR", false, "the replication factor is below 1 or above the number of brokers"},
	InvalidReplicaAssignment + 1:               {"INVALID_REPLICA_ASSIGNMENT", false, "the placement of replicas is not possible"},
	InvalidConfig + 1:                          {"INVALID_CONFIG", false, "a configuration is not valid"},
	NotController + 1:                          {"NOT_CONTROLLER", true, "the broker is not the controller"},
	InvalidRequest + 1:                         {"INVALID_REQUEST", false, "the broker could not make sense of the request"},
	UnsupportedForMessageFormat + 1:            {"UNSUPPORTED_FOR_MESSAGE_FORMAT", false, "the topic's message format is too old for this"},
	PolicyViolation + 1:                        {"POLICY_VIOLATION", false, "a policy of the cluster forbids this"},
	OutOfOrderSequenceNumber + 1:               {"OUT_OF_ORDER_SEQUENCE_NUMBER", false, "a batch of the same producer is missing before this one"},
	DuplicateSequenceNumber + 1:                {"DUPLICATE_SEQUENCE_NUMBER", false, "the broker has this batch already"},
	InvalidProducerEpoch + 1:                   {"INVALID_PRODUCER_EPOCH", false, "a newer epoch of this producer has taken over"},
	InvalidTxnState + 1:                        {"INVALID_TXN_STATE", false, "the transaction is not in a state that allows this"},
	InvalidProducerIDMapping + 1:               {"INVALID_PRODUCER_ID_MAPPING", false, "the producer id does not belong to the transactional id"},
	InvalidTransactionTimeout + 1:              {"INVALID_TRANSACTION_TIMEOUT", false, "the transaction timeout is longer than allowed (transaction.max.timeout.ms)"},
	ConcurrentTransactions + 1:                 {"CONCURRENT_TRANSACTIONS", true, "the previous operation on this transaction is not finished yet"},
	TransactionCoordinatorFenced + 1:           {"TRANSACTION_COORDINATOR_FENCED", false, "a newer transaction coordinator has taken over"},
	TransactionalIDAuthorizationFailed + 1:     {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false, "not authorized for this transactional id"},
	SecurityDisabled + 1:                       {"SECURITY_DISABLED", false, "the broker has no authorizer"},
	OperationNotAttempted + 1:                  {"OPERATION_NOT_ATTEMPTED", false, "not tried, since another part of the request failed"},
	KafkaStorageError + 1:                      {"KAFKA_STORAGE_ERROR", true, "the broker's disk failed"},
	LogDirNotFound + 1:                         {"LOG_DIR_NOT_FOUND", false, "the broker has no such log directory"},
	SASLAuthenticationFailed + 1:               {"SASL_AUTHENTICATION_FAILED", false, "the broker did not accept the credentials"},
	UnknownProducerID + 1:                      {"UNKNOWN_PRODUCER_ID", false, "the broker remembers nothing of this producer, its records have expired"},
	ReassignmentInProgress + 1:                 {"REASSIGNMENT_IN_PROGRESS", false, "the partition is being moved"},
	DelegationTokenAuthDisabled + 1:            {"DELEGATION_TOKEN_AUTH_DISABLED", false, "delegation tokens are not enabled"},
	DelegationTokenNotFound + 1:                {"DELEGATION_TOKEN_NOT_FOUND", false, "there is no such delegation token"},
	DelegationTokenOwnerMismatch + 1:           {"DELEGATION_TOKEN_OWNER_MISMATCH", false, "the token belongs to somebody else"},
	DelegationTokenRequestNotAllowed + 1:       {"DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false, "delegation tokens cannot be asked for over this kind of connection"},
	DelegationTokenAuthorizationFailed + 1:     {"DELEGATION_TOKEN_AUTHORIZATION_FAILED", false, "not authorized for this delegation token"},
	DelegationTokenExpired + 1:                 {"DELEGATION_TOKEN_EXPIRED", false, "the delegation token has expired"},
	InvalidPrincipalType + 1:                   {"INVALID_PRINCIPAL_TYPE", false, "this type of principal is not supported"},
	NonEmptyGroup + 1:                          {"NON_EMPTY_GROUP", false, "the group still has members"},
	GroupIDNotFound + 1:                        {"GROUP_ID_NOT_FOUND", false, "there is no such group"},
	FetchSessionIDNotFound + 1:                 {"FETCH_SESSION_ID_NOT_FOUND", true, "the broker has forgotten the fetch session"},
	InvalidFetchSessionEpoch + 1:               {"INVALID_FETCH_SESSION_EPOCH", true, "the fetch session is at another epoch"},
	ListenerNotFound + 1:                       {"LISTENER_NOT_FOUND", true, "the leader has no listener of the name this request came in by"},
	TopicDeletionDisabled + 1:                  {"TOPIC_DELETION_DISABLED", false, "topics cannot be deleted on this cluster (delete.topic.enable)"},
	FencedLeaderEpoch + 1:                      {"FENCED_LEADER_EPOCH", true, "the partition has a newer leader epoch than the request"},
	UnknownLeaderEpoch + 1:                     {"UNKNOWN_LEADER_EPOCH", true, "the broker has not heard of so new a leader epoch yet"},
	UnsupportedCompressionType + 1:             {"UNSUPPORTED_COMPRESSION_TYPE", false, "the version of the request does not allow the partition's compression"},
	StaleBrokerEpoch + 1:                       {"STALE_BROKER_EPOCH", false, "the broker has registered anew since"},
	OffsetNotAvailable + 1:                     {"OFFSET_NOT_AVAILABLE", true, "a new leader does not know the high watermark yet"},
	MemberIDRequired + 1:                       {"MEMBER_ID_REQUIRED", false, "the member has to join again with the id it was given"},
	PreferredLeaderNotAvailable + 1:            {"PREFERRED_LEADER_NOT_AVAILABLE", true, "the preferred leader is not available"},
	GroupMaxSizeReached + 1:                    {"GROUP_MAX_SIZE_REACHED", false, "the group is full (group.max.size)"},
	FencedInstanceID + 1:                       {"FENCED_INSTANCE_ID", false, "another member has taken over this group.instance.id"},
	EligibleLeadersNotAvailable + 1:            {"ELIGIBLE_LEADERS_NOT_AVAILABLE", true, "no replica that may lead is available"},
	ElectionNotNeeded + 1:                      {"ELECTION_NOT_NEEDED", true, "the partition has the leader it should have"},
	NoReassignmentInProgress + 1:               {"NO_REASSIGNMENT_IN_PROGRESS", false, "the partition is not being moved"},
	GroupSubscribedToTopic + 1:                 {"GROUP_SUBSCRIBED_TO_TOPIC", false, "the group still reads the topic"},
	InvalidRecord + 1:                          {"INVALID_RECORD", false, "the broker found a record invalid and refused the batch"},
	UnstableOffsetCommit + 1:                   {"UNSTABLE_OFFSET_COMMIT", true, "a transaction that commits this offset is still open"},
	ThrottlingQuotaExceeded + 1:                {"THROTTLING_QUOTA_EXCEEDED", true, "the quota for such requests is used up for now"},
	ProducerFenced + 1:                         {"PRODUCER_FENCED", false, "a newer producer of the same transactional id has taken over"},
	ResourceNotFound + 1:                       {"RESOURCE_NOT_FOUND", false, "what the request refers to does not exist"},
	DuplicateResource + 1:                      {"DUPLICATE_RESOURCE", false, "the request names the same thing twice"},
	UnacceptableCredential + 1:                 {"UNACCEPTABLE_CREDENTIAL", false, "the credential does not meet the cluster's rules"},
	InconsistentVoterSet + 1:                   {"INCONSISTENT_VOTER_SET", false, "the set of voters is not the one expected"},
	InvalidUpdateVersion + 1:                   {"INVALID_UPDATE_VERSION", false, "the feature cannot go to this version"},
	FeatureUpdateFailed + 1:                    {"FEATURE_UPDATE_FAILED", false, "the features could not be updated"},
	PrincipalDeserializationFailure + 1:        {"PRINCIPAL_DESERIALIZATION_FAILURE", false, "the controller could not read the principal of a forwarded request"},
	SnapshotNotFound + 1:                       {"SNAPSHOT_NOT_FOUND", false, "there is no such snapshot"},
	PositionOutOfRange + 1:                     {"POSITION_OUT_OF_RANGE", false, "the position lies outside of the snapshot"},
	UnknownTopicID + 1:                         {"UNKNOWN_TOPIC_ID", true, "this server does not host a topic of this id"},
	DuplicateBrokerRegistration + 1:            {"DUPLICATE_BROKER_REGISTRATION", false, "another broker uses this id"},
	BrokerIDNotRegistered + 1:                  {"BROKER_ID_NOT_REGISTERED", false, "no broker of this id is registered"},
	InconsistentTopicID + 1:                    {"INCONSISTENT_TOPIC_ID", true, "the topic's id is not the one in the log, it may have been made anew"},
	InconsistentClusterID + 1:                  {"INCONSISTENT_CLUSTER_ID", false, "this is not the cluster the request was meant for"},
	TransactionalIDNotFound + 1:                {"TRANSACTIONAL_ID_NOT_FOUND", false, "there is no such transactional id"},
	FetchSessionTopicIDError + 1:               {"FETCH_SESSION_TOPIC_ID_ERROR", true, "the fetch session has mixed names and ids of topics"},
	IneligibleReplica + 1:                      {"INELIGIBLE_REPLICA", false, "a replica may not be in sync again yet"},
	NewLeaderElected + 1:                       {"NEW_LEADER_ELECTED", false, "the partition's state was changed, and its leader too"},
	OffsetMovedToTieredStorage + 1:             {"OFFSET_MOVED_TO_TIERED_STORAGE", false, "the offset is in tiered storage only"},
	FencedMemberEpoch + 1:                      {"FENCED_MEMBER_EPOCH", false, "the coordinator has given this member up, it has to leave its partitions and join again"},
	UnreleasedInstanceID + 1:                   {"UNRELEASED_INSTANCE_ID", false, "another member still holds this group.instance.id"},
	UnsupportedAssignor + 1:                    {"UNSUPPORTED_ASSIGNOR", false, "the group does not support this assignor"},
	StaleMemberEpoch + 1:                       {"STALE_MEMBER_EPOCH", false, "the member's epoch is behind, a heartbeat brings the new one"},
	MismatchedEndpointType + 1:                 {"MISMATCHED_ENDPOINT_TYPE", false, "this kind of request goes to another kind of endpoint"},
	UnsupportedEndpointType + 1:                {"UNSUPPORTED_ENDPOINT_TYPE", false, "this kind of endpoint is not supported yet"},
	UnknownControllerID + 1:                    {"UNKNOWN_CONTROLLER_ID", false, "there is no controller of this id"},
	UnknownSubscriptionID + 1:                  {"UNKNOWN_SUBSCRIPTION_ID", false, "the telemetry subscription has changed"},
	TelemetryTooLarge + 1:                      {"TELEMETRY_TOO_LARGE", false, "the telemetry is larger than the broker takes"},
	InvalidRegistration + 1:                    {"INVALID_REGISTRATION", false, "the controller did not accept the broker's registration"},
	TransactionAbortable + 1:                   {"TRANSACTION_ABORTABLE", false, "the transaction failed, aborting it lets the producer go on"},
	InvalidRecordState + 1:                     {"INVALID_RECORD_STATE", false, "the record is no longer this member's to acknowledge"},
	ShareSessionNotFound + 1:                   {"SHARE_SESSION_NOT_FOUND", true, "the broker has forgotten the share session"},
	InvalidShareSessionEpoch + 1:               {"INVALID_SHARE_SESSION_EPOCH", true, "the share session is at another epoch"},
	FencedStateEpoch + 1:                       {"FENCED_STATE_EPOCH", false, "the share group's state is at another epoch"},
	InvalidVoterKey + 1:                        {"INVALID_VOTER_KEY", false, "the voter's key is not the replica's"},
	DuplicateVoter + 1:                         {"DUPLICATE_VOTER", false, "the voter is one already"},
	VoterNotFound + 1:                          {"VOTER_NOT_FOUND", false, "there is no such voter"},
	InvalidRegularExpression + 1:               {"INVALID_REGULAR_EXPRESSION", false, "the regular expression is not valid"},
	RebootstrapRequired + 1:                    {"REBOOTSTRAP_REQUIRED", false, "the metadata is so old that the client has to begin again with its bootstrap servers"},
	StreamsInvalidTopology + 1:                 {"STREAMS_INVALID_TOPOLOGY", false, "the streams topology is not valid"},
	StreamsInvalidTopologyEpoch + 1:            {"STREAMS_INVALID_TOPOLOGY_EPOCH", false, "the streams topology's epoch is not valid"},
	StreamsTopologyFenced + 1:                  {"STREAMS_TOPOLOGY_FENCED", false, "a newer streams topology has taken over"},
	ShareSessionLimitReached + 1:               {"SHARE_SESSION_LIMIT_REACHED", true, "the broker has as many share sessions as it takes"},
	GroupDeletionFailed + 1:                    {"GROUP_DELETION_FAILED", false, "the group could not be deleted"},
	StreamsTopologyDescriptionUpdateFailed + 1: {"STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED", false, "the broker could not store the description of the streams topology"},
	ControllerIDNotRegistered + 1:              {"CONTROLLER_ID_NOT_REGISTERED", false, "no controller of this id is registered"},
}
