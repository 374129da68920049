package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

func TestS16ErrorsAreNamedAndUnknownNumbersSurvive(t *testing.T) {
	for _, test := range []struct {
		code      Code
		want      string
		retriable bool
	}{
		{3, "UNKNOWN_TOPIC_OR_PARTITION (3): this server does not host this topic-partition", true},
		{-1, "UNKNOWN_SERVER_ERROR (-1): ", false},
		{0, "NONE (0): ", false},
		{1, "OFFSET_OUT_OF_RANGE (1): ", false},
		{2, "CORRUPT_MESSAGE (2): ", true},
		{4, "INVALID_FETCH_SIZE (4): ", false},
		{5, "LEADER_NOT_AVAILABLE (5): ", true},
		{6, "NOT_LEADER_OR_FOLLOWER (6): ", true},
		{7, "REQUEST_TIMED_OUT (7): ", true},
		{8, "BROKER_NOT_AVAILABLE (8): ", false},
		{9, "REPLICA_NOT_AVAILABLE (9): ", true},
		{10, "MESSAGE_TOO_LARGE (10): ", false},
		{11, "STALE_CONTROLLER_EPOCH (11): ", false},
		{12, "OFFSET_METADATA_TOO_LARGE (12): ", false},
		{13, "NETWORK_EXCEPTION (13): ", true},
		{14, "COORDINATOR_LOAD_IN_PROGRESS (14): ", true},
		{15, "COORDINATOR_NOT_AVAILABLE (15): ", true},
		{16, "NOT_COORDINATOR (16): ", true},
		{136, "CONTROLLER_ID_NOT_REGISTERED (136): ", false},
		{137, "UNKNOWN_CODE (137)", false},
		{32767, "UNKNOWN_CODE (32767)", false},
		{-2, "UNKNOWN_CODE (-2)", false},
		{-32768, "UNKNOWN_CODE (-32768)", false},
	} {
		got := test.code.Error()
		if exact := !strings.HasSuffix(test.want, " "); exact && got != test.want || !strings.HasPrefix(got, test.want) {
			t.Errorf("%d is %q", test.code, got)
		}
		if test.code.Retriable() != test.retriable {
			t.Errorf("%v: retriable %t", test.code, !test.retriable)
		}
	}
	if None.Err() != nil {
		t.Error("None is an error")
	}
	err := fmt.Errorf("orders:3: %w", NotLeaderOrFollower.Err())
	if !errors.Is(err, NotLeaderOrFollower) || errors.Is(err, NotController) {
		t.Error("codes are not found through wrapping")
	}
}

// The reference's table differs from Kafka's own in these, which were checked
// against the exceptions of Kafka's Java client.
var codesUnlikeReference = map[Code]string{
	NotLeaderOrFollower:      "its name before Kafka 2.6",
	BrokerNotAvailable:       "not retriable in Kafka",
	ConcurrentTransactions:   "retriable in Kafka",
	ShareSessionNotFound:     "retriable in Kafka",
	InvalidShareSessionEpoch: "retriable in Kafka",
}

func TestCodesAreThoseOfTheReference(t *testing.T) {
	for n := -1; n < len(codes)-1; n++ {
		c := Code(n)
		if c.Name() == "" || codes[n+1].text == "" {
			t.Errorf("%d has no name or text", n)
		}
		var want *kerr.Error
		if !errors.As(kerr.ErrorForCode(int16(n)), &want) || codesUnlikeReference[c] != "" {
			continue
		}
		if c.Name() != want.Message || c.Retriable() != want.Retriable {
			t.Errorf("%v retriable %t, want %+v", c, c.Retriable(), want)
		}
	}
	if next := kerr.ErrorForCode(int16(len(codes) - 1)); next != kerr.UnknownServerError {
		t.Errorf("the reference knows more: %v", next)
	}
}
