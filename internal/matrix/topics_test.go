//go:build unix

package matrix

import (
	"encoding/json"
	"strings"
	"testing"
)

// listing is what metadata -o json shows of interest here.
type listing struct {
	ClusterID *string `json:"clusterId"`
	Brokers   []struct{ NodeID int32 }
	Topics    []struct {
		Topic      string
		TopicID    *string `json:"topicId"`
		Partitions []struct {
			Partition, Leader int32
			Replicas, ISR     []int32
		}
	}
}

func (b *bed) metadata(t *testing.T, topics ...string) listing {
	t.Helper()
	out := b.kafkactl(t, "", append([]string{"metadata", "-o", "json"}, topics...)...).must(t)
	var l listing
	if err := json.Unmarshal([]byte(out), &l); err != nil {
		t.Fatalf("%s: %v", short(out), err)
	}
	return l
}

func metadataWorks(t *testing.T, b *bed) {
	topic := b.topic(t, "metadata", 4)
	b.check(t, "of a topic", func(t *testing.T) {
		l := b.metadata(t, topic)
		if len(l.Brokers) != 1 || len(l.Topics) != 1 || l.Topics[0].Topic != topic || len(l.Topics[0].Partitions) != 4 {
			t.Fatalf("%+v", l)
		}
		for i, p := range l.Topics[0].Partitions {
			if p.Partition != int32(i) || p.Leader != 1 || len(p.Replicas) != 1 || len(p.ISR) != 1 {
				t.Errorf("%+v", p)
			}
		}
	})
	b.check(t, "of all", func(t *testing.T) {
		for _, found := range b.metadata(t).Topics {
			if found.Topic == topic {
				return
			}
		}
		t.Errorf("%s is not among all topics", topic)
	})
	// Brokers make a topic because somebody asked for it, unless one asks well.
	b.check(t, "a topic that is asked for is not made", func(t *testing.T) {
		for _, argv := range [][]string{{"metadata", "absent"}, {"consume", "absent"}, {"offsets", "get", "absent"}, {"produce", "absent"}} {
			if r := b.kafkactl(t, "x\n", argv...); r.code != 6 {
				t.Errorf("%v: exit %d, want 6: %q", argv, r.code, r.err)
			}
		}
		for _, found := range b.metadata(t).Topics {
			if found.Topic == "absent" {
				t.Error("the topic is there now")
			}
		}
	})
	b.check(t, "the coordinator of a group", func(t *testing.T) {
		out := b.kafkactl(t, "", "metadata", "--coordinator", "some-group").must(t)
		host, port, _ := strings.Cut(b.Brokers(), ":")
		wantLines(t, "metadata", out, "some-group\t1\t"+host+"\t"+port)
	})
	b.check(t, "produce --create makes one", func(t *testing.T) {
		b.kafkactl(t, "x\n", "produce", "made", "--create").must(t)
		wantLines(t, "consume", b.kafkactl(t, "", "consume", "made").must(t), "x")
	})
}

func clusterIDWorks(t *testing.T, b *bed) {
	b.check(t, "is shown", func(t *testing.T) {
		if id := b.metadata(t).ClusterID; id == nil || *id == "" {
			t.Error("no cluster id")
		}
	})
}

func topicIDWorks(t *testing.T, b *bed) {
	b.check(t, "is shown", func(t *testing.T) {
		topic := b.topic(t, "id", 4)
		if id := b.metadata(t, topic).Topics[0].TopicID; id == nil || *id == "" {
			t.Error("no topic id")
		}
	})
}

// absentAsNull: what a release does not know is null, never made up.
func absentAsNull(what string, id func(listing) *string) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		b.check(t, "is null", func(t *testing.T) {
			topic := b.topic(t, "id", 4)
			if got := id(b.metadata(t, topic)); got != nil {
				t.Errorf("%s %q of a broker that has none", what, *got)
			}
		})
	}
}
