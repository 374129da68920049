package broker

import (
	"reflect"
	"slices"
	"time"

	"kafkactl/internal/wire"
)

// speaks is what a handshake learnt about a broker.
type speaks struct {
	windows  map[wire.Key][2]int16 // nil before the handshake
	features map[string]int16      // finalized levels
	trust    trust
}

// Version chooses the highest version of key that both sides speak, at most cap
// (negative: no cap). The error names the API, both windows, and the Kafka
// release that is needed.
func (c *Conn) Version(key wire.Key, cap int16) (int16, error) {
	api, ok := wire.Lookup(key)
	ours := [2]int16{api.Min, api.Max}
	if !ok {
		ours = [2]int16{-1, -1}
	}
	theirs, ok := c.speaks.windows[key]
	if !ok {
		theirs = [2]int16{-1, -1}
	}
	if cap < 0 || cap >= ours[1] {
		cap = -1
	}
	high := min(ours[1], theirs[1])
	if cap >= 0 {
		high = min(high, cap)
	}
	if high < 0 || high < max(ours[0], theirs[0]) {
		return -1, &VersionError{API: key, Cap: cap, Ours: ours, Theirs: theirs, Software: releasesFor(key, ours, theirs, cap)}
	}
	return high, nil
}

// Feature gives the finalized level of a cluster feature such as
// transaction.version; ok is false where the broker does not tell.
func (c *Conn) Feature(name string) (level int16, ok bool) {
	level, ok = c.speaks.features[name]
	return level, ok
}

// choose is Version for a request at hand, which may keep itself below a version
// that needs what it does not have, such as topic ids.
func (c *Conn) choose(req wire.Request, cap int16) (int16, error) {
	if own, ok := req.(wire.Capper); ok && (cap < 0 || own.Cap() < cap) {
		cap = own.Cap()
	}
	return c.Version(req.Key(), cap)
}

// releases says in which Kafka release each version of an API came, "" for the
// one before it. Kafka 4.0 dropped what came before 2.1 (KIP-896), which is what
// oldest says where that moved the lower end.
type releases struct {
	came   []string
	oldest int16 // lowest version Kafka 4.0 and later speak
}

// table is a function, so that nothing can change it.
func table(key wire.Key) releases {
	switch key {
	case wire.Produce:
		return releases{[]string{"0.8.0", "0.9.0", "0.10.0", "0.11.0", "1.0", "1.0", "2.0", "2.1", "2.4", "2.8", "3.7", "3.8", "4.0", "4.1"}, 3}
	case wire.Fetch:
		return releases{[]string{"0.8.0", "0.9.0", "0.10.0", "0.10.1", "0.11.0", "0.11.0", "1.0", "1.1", "2.0", "2.1", "2.1", "2.3", "2.7", "3.1", "3.5", "3.5", "3.7", "3.9", "4.1"}, 4}
	case wire.ListOffsets:
		return releases{[]string{"0.8.0", "0.10.1", "0.11.0", "2.0", "2.1", "2.2", "2.8", "3.0", "3.5", "3.9", "4.0", "4.2"}, 1}
	case wire.Metadata:
		return releases{[]string{"0.8.0", "0.10.0", "0.10.1", "0.11.0", "0.11.0", "1.0", "2.0", "2.1", "2.3", "2.4", "2.8", "2.8", "3.1", "4.0"}, 0}
	case wire.OffsetCommit:
		return releases{[]string{"0.8.1", "0.8.2", "0.9.0", "0.11.0", "2.0", "2.1", "2.1", "2.3", "2.4", "3.7", "4.2"}, 2}
	case wire.OffsetFetch:
		return releases{[]string{"0.8.1", "0.8.2", "0.10.2", "0.11.0", "2.0", "2.1", "2.4", "2.5", "3.0", "3.7", "4.2"}, 1}
	case wire.FindCoordinator:
		return releases{[]string{"0.8.2", "0.11.0", "2.0", "2.4", "3.0", "3.8", "3.9"}, 0}
	case wire.JoinGroup: // 0.8.2 knows the number and nothing else
		return releases{[]string{"0.9.0", "0.10.1", "0.11.0", "2.0", "2.2", "2.3", "2.4", "2.5", "3.2", "3.2"}, 2}
	case wire.Heartbeat: // likewise
		return releases{[]string{"0.9.0", "0.11.0", "2.0", "2.3", "2.4"}, 0}
	case wire.LeaveGroup:
		return releases{[]string{"0.9.0", "0.11.0", "2.0", "2.4", "2.4", "3.2"}, 0}
	case wire.SyncGroup:
		return releases{[]string{"0.9.0", "0.11.0", "2.0", "2.3", "2.4", "2.5"}, 0}
	case wire.DescribeGroups:
		return releases{[]string{"0.9.0", "0.11.0", "2.0", "2.3", "2.4", "2.4", "4.0"}, 0}
	case wire.ListGroups:
		return releases{[]string{"0.9.0", "0.11.0", "2.0", "2.4", "2.6", "3.8"}, 0}
	case wire.APIVersions:
		return releases{[]string{"0.10.0", "0.11.0", "2.0", "2.4", "3.9", "4.4"}, 0}
	case wire.CreateTopics:
		return releases{[]string{"0.10.1", "0.10.2", "0.11.0", "2.0", "2.4", "2.4", "2.7", "2.8"}, 2}
	case wire.InitProducerID:
		return releases{[]string{"0.11.0", "2.0", "2.4", "2.5", "2.7", "3.8"}, 0}
	case wire.OffsetForLeaderEpoch:
		return releases{[]string{"0.11.0", "2.0", "2.1", "2.3", "2.8"}, 2}
	case wire.AddPartitionsToTxn:
		return releases{[]string{"0.11.0", "2.0", "2.7", "2.8", "3.6", "3.8"}, 0}
	case wire.AddOffsetsToTxn:
		return releases{[]string{"0.11.0", "2.0", "2.7", "2.8", "3.8"}, 0}
	case wire.EndTxn:
		return releases{[]string{"0.11.0", "2.0", "2.7", "2.8", "3.8", "4.0"}, 0}
	case wire.TxnOffsetCommit:
		return releases{[]string{"0.11.0", "2.0", "2.1", "2.5", "3.8", "4.0", "4.4"}, 0}
	case wire.DeleteGroups:
		return releases{[]string{"1.1", "2.0", "2.4", "4.4"}, 0}
	case wire.OffsetDelete:
		return releases{[]string{"2.4"}, 0}
	case wire.ConsumerGroupHeartbeat:
		return releases{[]string{"3.7", "4.0"}, 0}
	case wire.ConsumerGroupDescribe:
		return releases{[]string{"3.8", "4.0"}, 0}
	case wire.ShareGroupDescribe:
		return releases{[]string{"4.1", "4.1"}, 0}
	}
	return releases{}
}

// Release is the first Kafka release whose brokers speak a version of an API,
// empty where unknown.
func Release(key wire.Key, version int16) string {
	r := table(key)
	if version < 0 || int(version) >= len(r.came) {
		return ""
	}
	return r.came[version]
}

// releasesFor names the releases that would speak a version we can use.
func releasesFor(key wire.Key, ours, theirs [2]int16, cap int16) string {
	if theirs[1] < max(ours[0], 0) { // the broker is too old
		if r := Release(key, max(ours[0], 0)); r != "" {
			return r + " or later"
		}
		return ""
	}
	if cap >= 0 && cap < table(key).oldest {
		return "before 4.0"
	}
	return ""
}

// throttle is how long a broker wants to be left alone after this response. Up
// to Kafka 2.0 brokers held the response back instead, so those have waited.
func throttle(resp wire.Response, version int16) time.Duration {
	f := reflect.ValueOf(resp).Elem().FieldByName("ThrottleMs")
	if !f.IsValid() || f.Int() < 0 || version < slept(resp.Key()) {
		return 0
	}
	return time.Duration(f.Int()) * time.Millisecond
}

// slept is the version from which on clients wait by themselves (KIP-219): each
// API got a new one for that in Kafka 2.0.
func slept(key wire.Key) int16 {
	return int16(max(0, slices.Index(table(key).came, "2.0")))
}
