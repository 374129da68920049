//go:build unix

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kafkactl/internal/badnet"
	"kafkactl/internal/wire"
)

// weather is one way for a network to be bad.
type weather struct {
	name  string
	fault badnet.Fault
	// silent says that only a clock can tell.
	silent bool
}

func weathers() []weather {
	const all = 1 << 30
	list := []weather{
		{"late", badnet.Fault{Kind: badnet.Late, Delay: 5 * time.Millisecond}, false},
		{"narrow", badnet.Fault{Kind: badnet.Narrow, Rate: 500_000}, false},
		{"sliced", badnet.Fault{Kind: badnet.Sliced}, false},
		{"deaf", badnet.Fault{Kind: badnet.Deaf}, false},
		{"black hole", badnet.Fault{Kind: badnet.BlackHole}, true},
		{"requests lost", badnet.Fault{Kind: badnet.LostRequests}, true},
		{"responses lost", badnet.Fault{Kind: badnet.LostResponses}, true},
		{"half open", badnet.Fault{Kind: badnet.HalfOpen}, true},
	}
	for _, n := range []int{0, 9, -1, all} {
		list = append(list, weather{fmt.Sprintf("reset after %d bytes of the request", n), badnet.Fault{Kind: badnet.ResetRequest, Bytes: n}, false})
	}
	for _, n := range []int{0, 3, 20, -1, all} {
		list = append(list, weather{fmt.Sprintf("reset after %d bytes of the response", n), badnet.Fault{Kind: badnet.ResetResponse, Bytes: n}, false})
	}
	return list
}

// route is a command, and a request of it that the weather strikes at.
type route struct {
	what string
	api  wire.Key
	skip int
}

// routes are the kinds of connections and of requests on them.
func routes() []route {
	return []route{
		{"metadata", wire.APIVersions, 0},
		{"metadata", wire.Metadata, 0},
		{"produce", wire.APIVersions, 1},
		{"produce", wire.Metadata, 0},
		{"produce", wire.InitProducerID, 0},
		{"produce", wire.Produce, 0},
		{"produce", wire.Produce, 3},
		{"consume", wire.APIVersions, 1},
		{"consume", wire.Metadata, 0},
		{"consume", wire.ListOffsets, 0},
		{"consume", wire.Fetch, 0},
		{"consume", wire.Fetch, 1},
		{"standalone", wire.FindCoordinator, 0},
		{"standalone", wire.OffsetFetch, 0},
		{"standalone", wire.OffsetCommit, 0},
		{"classic", wire.FindCoordinator, 0},
		{"classic", wire.JoinGroup, 0},
		{"classic", wire.SyncGroup, 0},
		{"classic", wire.OffsetFetch, 0},
		{"classic", wire.Fetch, 1},
		{"classic", wire.OffsetCommit, 0},
		{"classic", wire.LeaveGroup, 0},
		{"modern", wire.ConsumerGroupHeartbeat, 0},
		{"modern", wire.ConsumerGroupHeartbeat, 1},
		{"modern", wire.OffsetFetch, 0},
		{"modern", wire.OffsetCommit, 0},
		{"offsets get", wire.FindCoordinator, 0},
		{"offsets get", wire.OffsetFetch, 0},
		{"offsets get", wire.ListOffsets, 0},
		{"offsets commit", wire.OffsetCommit, 0},
	}
}

// voyage is one route in one weather.
type voyage struct {
	s     *sea
	t     *testing.T
	full  string // a topic with the cargo in it
	route route
	w     weather
	again bool // with several times as much time, after one in which there was too little
}

// seconds is a time that is unhurried, and more so the second time.
func (v voyage) seconds(n int) string {
	if v.again {
		n *= 5
	}
	return unhurried(n)
}

// brief are flags with which silence is noticed soon, and a busy machine is not
// taken for it.
func (v voyage) brief(more ...string) []string {
	return append([]string{"--timeout", v.seconds(5), "--ack-timeout", "100ms", "-v"}, more...)
}

func (v voyage) String() string {
	return fmt.Sprintf("%s at %v %d of %s", v.w.name, v.route.api, v.route.skip+1, v.route.what)
}

// TestRealNetworksThatHealCostNothing has each kind of fault befall one
// connection of each kind, once. The command comes through with 0 and nothing is
// lost, twice or out of order.
func TestRealNetworksThatHealCostNothing(t *testing.T) {
	s := newSea(t)
	full := s.topic(t)
	if got := s.sail(t, nil, cargo(), "produce", "-K", ":", full); got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	slots, patient := make(chan struct{}, 6), make(chan struct{}, abreast(40))
	var all sync.WaitGroup
	for i, w := range weathers() {
		for j, r := range routes() {
			if raceEnabled && (i+j)%18 != 0 {
				continue // processes under the race detector take many times as long
			}
			queue := slots
			if w.silent { // it waits more than it works
				queue = patient
			}
			all.Go(func() {
				queue <- struct{}{}
				defer func() { <-queue }()
				v := voyage{s: s, t: t, full: full, route: r, w: w}
				v.heals()
			})
		}
	}
	all.Wait()
}

func (v voyage) heals() {
	n := badnet.New(v.t)
	f := v.w.fault
	f.API, f.Skip, f.Times = v.route.api, v.route.skip, 1
	hits := n.Strike(f)
	got, complaint := v.sail(n)
	if got.code == exitUnreachable && !v.again {
		v.again = true // a machine can be too busy for the time it had
		v.heals()
		return
	}
	if hits() == 0 {
		complaint = "the fault never struck"
	}
	if got.code != exitDone && complaint == "" {
		complaint = "it did not come through"
	}
	if complaint != "" {
		v.t.Errorf("%v: %s\nexit %d after %v, said:\n%.1500s", v, complaint, got.code, got.took.Round(time.Millisecond), got.said)
	} else if v.w.silent {
		v.t.Logf("%v: %v", v, got.took.Round(100*time.Millisecond))
	}
}

// unhurried is so many seconds, and more of them under the race detector.
func unhurried(seconds int) string {
	if raceEnabled {
		seconds *= 4
	}
	return strconv.Itoa(seconds) + "s"
}

// abreast is how many processes that mostly wait may do so at once.
func abreast(n int) int {
	if raceEnabled {
		n = max(1, n/8)
	}
	return n
}

// sail runs the route's command and says what is wrong with what it did.
func (v voyage) sail(n *badnet.Net) (sailed, string) {
	switch v.route.what {
	case "metadata":
		got := v.s.sail(v.t, n, "", v.brief("metadata", "-J", v.full)...)
		if got.code == exitDone && strings.Count(got.out, `"partition"`) < seaPartitions {
			return got, "it printed " + got.out
		}
		return got, ""
	case "produce":
		topic := v.s.topic(v.t)
		got := v.s.sail(v.t, n, cargo(), v.brief("produce", "-K", ":", "--batch-bytes", "1000", "--delivery-timeout", v.seconds(25), topic)...)
		parts, err := v.s.log(topic)
		return got, verdict(parts, err)
	case "offsets get":
		group := v.s.name("got")
		v.s.sail(v.t, nil, "", "offsets", "commit", "-g", group, v.full+":0=7")
		got := v.s.sail(v.t, n, "", v.brief("offsets", "get", "-g", group, "-o", "tsv")...)
		if got.code == exitDone && !strings.Contains(got.out, v.full+"\t0\t7\t") {
			return got, "it printed " + got.out
		}
		return got, ""
	case "offsets commit":
		group := v.s.name("set")
		got := v.s.sail(v.t, n, "", v.brief("offsets", "commit", "-g", group, v.full+":1=8")...)
		at, err := v.s.committed(group, v.full)
		if err != nil || got.code == exitDone && !slices.Equal(at, []int64{-1, 8, -1}) {
			return got, fmt.Sprintf("committed is %v; %v", at, err)
		}
		return got, ""
	}
	return v.read(n)
}

// read is the routes of consume.
func (v voyage) read(n *badnet.Net) (sailed, string) {
	args := v.brief("consume", "-f", `%p %o %k:%s\n`, "--fetch-max-bytes", "2000", "--max-partition-bytes", "1000", v.full)
	group := v.s.name("group")
	switch v.route.what {
	case "standalone":
		args = append(args, "-g", group, "--standalone")
	case "classic", "modern":
		protocol := map[string]string{"classic": "classic", "modern": "consumer"}[v.route.what]
		args = append(args, "-g", group, "--group-protocol", protocol)
	default:
		group = ""
	}
	got := v.s.sail(v.t, n, "", args...)
	parts, next, err := printed(got.out)
	complaint := verdict(parts, err)
	if group != "" && complaint == "" {
		at, err := v.s.committed(group, v.full)
		if err != nil || !slices.Equal(at, next) {
			complaint = fmt.Sprintf("committed is %v, printed were the records before %v; %v", at, next, err)
		}
	}
	return got, complaint
}

// verdict insists on the whole cargo, once and in order.
func verdict(parts [][]string, err error) string {
	if err != nil {
		return err.Error()
	}
	c, err := reckon(parts)
	if err != nil || c != (reckoning{lines: cargoLines}) {
		return fmt.Sprintf("got %+v of %d; %v", c, cargoLines, err)
	}
	return ""
}
