package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafkactl/internal/broker"
	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/consume"
	"kafkactl/internal/offsets"
	"kafkactl/internal/record"
)

// following is a follower with all it needs, and what its session delivers.
type following struct {
	*follower
	fake *kfake.Cluster
	said *bytes.Buffer

	got []string
}

func (f *following) Record(_ context.Context, r *record.Record, _ consume.Mark) error {
	f.got = append(f.got, tpName(broker.TP{Topic: r.Topic, Partition: r.Partition})+" "+string(r.Value))
	return nil
}
func (f *following) Skip(consume.Mark)           {}
func (f *following) Flush(context.Context) error { return nil }

// newFollowing resolves targets on a cluster with one topic, a, of one partition.
func newFollowing(t *testing.T, targets ...string) *following {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "a"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	client, err := broker.New(broker.Config{Seeds: fake.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	said := new(bytes.Buffer)
	e := newEnv(nil, new(bytes.Buffer), said)
	tg := &targeting{isolation: "read_committed"}
	if err := tg.parse(targets, time.Now()); err != nil {
		t.Fatal(err)
	}
	return &following{follower: newFollower(e, tg, client), fake: fake, said: said}
}

// begin looks up what there is and makes the session that ends after max records.
func (f *following) begin(t *testing.T, max int64) {
	t.Helper()
	wants, missing, err := f.find(t.Context(), f.env, f.client, offsets.Window{From: offsets.Position{Base: offsets.End}}, true)
	if err != nil || len(missing) > 0 {
		t.Fatal(err, missing)
	}
	resolved, failed, err := f.targeting.look(t.Context(), f.env, f.client, wants, true)
	if err != nil || len(failed) > 0 {
		t.Fatal(err, failed)
	}
	f.take(resolved)
	f.session = consume.NewSession(f.client, consume.Options{Follow: true, Max: max, Stop: f.ends})
	ranges := map[broker.TP]offsets.Range{}
	for _, r := range resolved {
		ranges[r.TP] = r.Range
	}
	f.session.Add(ranges)
}

// other is a client that is none of ours, and knows what is there by now.
func (f *following) other(t *testing.T) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(f.fake.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func (f *following) write(t *testing.T, topic string, partition int32, value string) {
	t.Helper()
	r := &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}
	if err := f.other(t).ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func (f *following) grow(t *testing.T, topic string, partitions int32) {
	t.Helper()
	req := kmsg.NewPtrCreatePartitionsRequest()
	part := kmsg.NewCreatePartitionsRequestTopic()
	part.Topic, part.Count = topic, partitions
	req.Topics = append(req.Topics, part)
	if _, err := req.RequestWith(t.Context(), f.other(t)); err != nil {
		t.Fatal(err)
	}
}

func TestFollowerAddsPartitionsAndTopicsFromTheirStart(t *testing.T) {
	f := newFollowing(t, "^a")
	f.write(t, "a", 0, "old")
	f.begin(t, 3)
	f.grow(t, "a", 2)
	if err := f.fake.CreateTopic("ab", 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.fake.CreateTopic("b", 1, nil); err != nil {
		t.Fatal(err)
	}
	f.write(t, "a", 0, "new")
	f.write(t, "a", 1, "first")
	f.write(t, "ab", 0, "first")
	f.write(t, "b", 0, "other")
	f.lookForNew(t.Context())
	f.lookForNew(t.Context())
	if _, err := f.session.Run(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	slices.Sort(f.got)
	if want := "a:0 new,a:1 first,ab:0 first"; strings.Join(f.got, ",") != want {
		t.Errorf("got %q, want %q", f.got, want)
	}
	if said := f.said.String(); strings.Count(said, "now reading") != 1 || !strings.Contains(said, "a:1, ab:0 too") {
		t.Errorf("said %q", said)
	}
}

func TestFollowerLeavesNamedPartitionsAlone(t *testing.T) {
	f := newFollowing(t, "a:0")
	if f.grows() {
		t.Error("a:0 is looked at again, though there is nothing it could grow to")
	}
	f.begin(t, 1)
	f.grow(t, "a", 2)
	f.write(t, "a", 1, "not asked for")
	f.lookForNew(t.Context())
	f.write(t, "a", 0, "asked for")
	if _, err := f.session.Run(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if want := "a:0 asked for"; strings.Join(f.got, ",") != want {
		t.Errorf("got %q, want %q", f.got, want)
	}
}

func TestFollowerBeginsLatePartitionsWhereTheyWereToBegin(t *testing.T) {
	f := newFollowing(t, "a")
	f.write(t, "a", 0, "old")
	f.session = consume.NewSession(f.client, consume.Options{Follow: true, Max: 1})
	f.late[broker.TP{Topic: "a"}] = offsets.Window{From: offsets.Position{Base: offsets.End}}
	f.lookForNew(t.Context())
	f.write(t, "a", 0, "new")
	if _, err := f.session.Run(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if want := "a:0 new"; strings.Join(f.got, ",") != want {
		t.Errorf("got %q, want %q", f.got, want)
	}
}

// A partition without a leader may stay so for days, and is not waited for.
func TestFollowerIsNotHeldUpByAPartitionWithoutALeader(t *testing.T) {
	c := brokertest.NewCluster(t, 1)
	c.Create("a", 1)
	c.Create("b", 2)
	c.Lead("b", 0, -1)
	client, err := broker.New(broker.Config{Seeds: c.Seeds(), Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	said := new(bytes.Buffer)
	e := newEnv(nil, new(bytes.Buffer), said)
	e.cfg.verbose = 1
	tg := &targeting{isolation: "read_committed"}
	if err := tg.parse([]string{"^[ab]"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	f := newFollower(e, tg, client)
	f.session = consume.NewSession(client, consume.Options{Follow: true})
	f.lookForNew(t.Context())
	if want := "note: now reading a:0, b:1 too\n"; said.String() != want {
		t.Errorf("said %q, want %q", said, want)
	}
	c.Lead("b", 0, 1)
	said.Reset()
	f.lookForNew(t.Context())
	if want := "note: now reading b:0 too\n"; said.String() != want {
		t.Errorf("once it has a leader, said %q, want %q", said, want)
	}
}

func TestFollowerEndsARangeWhoseTimeHasCome(t *testing.T) {
	f := newFollowing(t, "a@start..now")
	f.write(t, "a", 0, "one")
	f.targets[0].Window.To.N = time.Now().UnixMilli() + 1 // after the record, and past by the time it is asked for
	f.begin(t, 0)
	next, some := f.nextEnd()
	if !some {
		t.Fatal("nothing is due")
	}
	for time.Now().Before(next) {
	}
	f.endDue(t.Context())
	if _, some := f.nextEnd(); some {
		t.Error("still due")
	}
	f.write(t, "a", 0, "late")
	if _, err := f.session.Run(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if want := "a:0 one"; strings.Join(f.got, ",") != want {
		t.Errorf("got %q, want %q", f.got, want)
	}
}

func TestFollowerStopsAtTheFirstRecordOfATime(t *testing.T) {
	f := newFollowing(t, "a")
	end := time.Now().Add(time.Hour).UnixMilli()
	f.until[broker.TP{Topic: "a"}] = &timedEnd{ms: end}
	for _, c := range []struct {
		partition int32
		at        int64
		want      bool
	}{{0, end - 1, false}, {0, end, true}, {0, end + 1, true}, {1, end + 1, false}} {
		if got := f.ends(&record.Record{Topic: "a", Partition: c.partition, Timestamp: c.at}); got != c.want {
			t.Errorf("a:%d at %+d ms: %v", c.partition, c.at-end, got)
		}
	}
}

func TestAGroupMayGiveAPartitionThatMetadataLacks(t *testing.T) {
	f := newFollowing(t, "a")
	f.begin(t, 1)
	f.grow(t, "a", 2)
	tp := broker.TP{Topic: "a", Partition: 1}
	if topic, _ := f.client.Metadata().Topic("a"); len(topic.Partitions) != 1 {
		t.Fatal("metadata has the new partition before it was asked for")
	}
	b := beginnings{env: f.env, targeting: f.targeting, client: f.client, follow: true}
	stored := map[broker.TP]offsets.Stored{tp: {Offset: -1}}
	all, _, err := b.resolve(t.Context(), []offsets.Want{{TP: tp, Window: offsets.Window{From: storedPosition}}}, stored)
	if err != nil || len(all) != 1 || all[0].Err != nil {
		t.Errorf("%+v, %v", all, err)
	}
}
