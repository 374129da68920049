package offsets

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkactl/internal/broker"
)

// cluster is an embedded cluster with a client of ours.
type cluster struct {
	*kfake.Cluster
	t      *testing.T
	client *broker.Client
}

func newCluster(t *testing.T, opts ...kfake.Opt) *cluster {
	t.Helper()
	k, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	client, err := broker.New(broker.Config{Seeds: k.ListenAddrs(), Timeout: 10 * time.Second, RetryBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &cluster{Cluster: k, t: t, client: client}
}

func (k *cluster) topic(name string, partitions int32) {
	k.t.Helper()
	if err := k.CreateTopic(name, partitions, nil); err != nil {
		k.t.Fatal(err)
	}
}

// producer is another client, for what ours does not write.
func (k *cluster) producer(opts ...kgo.Opt) *kgo.Client {
	k.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(k.ListenAddrs()...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(cl.Close)
	return cl
}

// write appends n records with timestamps from first on, a second apart.
func (k *cluster) write(cl *kgo.Client, tp broker.TP, n int, first time.Time) {
	k.t.Helper()
	for i := range n {
		r := &kgo.Record{Topic: tp.Topic, Partition: tp.Partition, Value: fmt.Append(nil, i), Timestamp: first.Add(time.Duration(i) * time.Second)}
		if err := cl.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			k.t.Fatal(err)
		}
	}
}

// targets parses and selects, and fails the test where that does.
func (k *cluster) wants(o Options, texts ...string) []Want {
	k.t.Helper()
	var targets []Target
	for _, s := range texts {
		target, err := ParseTarget(s, noon)
		if err != nil {
			k.t.Fatal(err)
		}
		targets = append(targets, target)
	}
	snap, err := k.client.Refresh(k.t.Context(), k.client.Metadata(), Topics(targets)...)
	if err != nil {
		k.t.Fatal(err)
	}
	wants, missing, err := Select(targets, Window{}, Window{}, snap)
	if err != nil || missing != nil {
		k.t.Fatal(err, missing)
	}
	return wants
}

func (k *cluster) resolve(o Options, texts ...string) []Resolved {
	k.t.Helper()
	got, err := Resolve(k.t.Context(), k.client, k.wants(o, texts...), o)
	if err != nil {
		k.t.Fatal(err)
	}
	return got
}
