package broker_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

// fakeCluster runs kfake and a Client for it.
func fakeCluster(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, *broker.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, newClient(t, broker.Config{Seeds: cluster.ListenAddrs()})
}

func newClient(t *testing.T, cfg broker.Config) *broker.Client {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = func(_ int, format string, args ...any) { t.Logf(format, args...) }
	}
	client, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func TestMetadataOfACluster(t *testing.T) {
	_, client := fakeCluster(t, kfake.NumBrokers(3), kfake.SeedTopics(6, "orders"), kfake.SeedTopics(1, "users"))
	snap, err := client.Refresh(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.Brokers) != 3 || snap.ClusterID == "" || snap.Controller < 0 {
		t.Errorf("brokers %v, cluster %q, controller %d", snap.Brokers, snap.ClusterID, snap.Controller)
	}
	topics := snap.Topics()
	if len(topics) != 2 || topics[0].Name != "orders" || topics[1].Name != "users" {
		t.Fatalf("topics %v, want orders and users", topics)
	}
	if n := len(topics[0].Partitions); n != 6 {
		t.Errorf("orders has %d partitions, want 6", n)
	}
	if snap.TopicID("orders") == (wire.UUID{}) {
		t.Error("no topic id")
	}
	for p := range int32(6) {
		node, epoch := snap.Leader(broker.TP{Topic: "orders", Partition: p})
		if _, ok := snap.Broker(node); !ok || epoch < 0 {
			t.Errorf("orders:%d is led by %d in epoch %d", p, node, epoch)
		}
	}
}

func TestCoordinatorsAnswer(t *testing.T) {
	_, client := fakeCluster(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "orders"))
	b, err := client.Coordinator(t.Context(), wire.CoordinatorGroup, "g")
	if err != nil {
		t.Fatal(err)
	}
	if b.Port == 0 {
		t.Errorf("coordinator %v has no address", b)
	}
	commit := wire.Default[wire.OffsetCommitRequest]()
	commit.GroupID = "g"
	part := wire.Default[wire.OffsetCommitPartition]()
	part.CommittedOffset = 42
	commit.Topics = []wire.OffsetCommitTopic{{Name: "orders", Partitions: []wire.OffsetCommitPartition{part}}}
	committed := wire.Default[wire.OffsetCommitResponse]()
	if _, err := client.Do(t.Context(), broker.GroupCoordinator("g"), &commit, &committed); err != nil {
		t.Fatal(err)
	}
	group := wire.Default[wire.OffsetFetchGroup]()
	group.GroupID = "g"
	fetched := wire.Default[wire.OffsetFetchResponse]()
	fetch := &wire.OffsetFetchRequest{Groups: []wire.OffsetFetchGroup{group}}
	version, err := client.Do(t.Context(), broker.GroupCoordinator("g"), fetch, &fetched)
	if err != nil {
		t.Fatal(err)
	}
	r := fetched.Results(version)
	if len(r) != 1 || len(r[0].Topics) != 1 || r[0].Topics[0].Partitions[0].CommittedOffset != 42 {
		t.Errorf("offsets of g: %+v", r)
	}
}
