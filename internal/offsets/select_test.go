package offsets

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/wire"
)

func TestSelectFindsWhatTargetsMean(t *testing.T) {
	k := newCluster(t)
	k.topic("orders", 3)
	k.topic("orders-v2", 1)
	k.topic("users", 2)
	k.topic("__internal", 1)
	snap, err := k.client.Refresh(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in      string
		want    string
		missing string
	}{
		{"orders", "orders:0 orders:1 orders:2", ""},
		{"users orders:1", "orders:1 users:0 users:1", ""},
		{"orders:2,0", "orders:0 orders:2", ""},
		{"orders:0-1,1-2", "orders:0 orders:1 orders:2", ""},
		{"orders:0 orders:0", "orders:0", ""},
		{"orders:0@5 orders:1@6", "orders:0@5.. orders:1@6..", ""},
		{"orders orders:0@start..", "orders:0 orders:1 orders:2", ""},
		{"orders:0@start..end orders:0", "orders:0", ""},
		{"^orders", "orders:0 orders:1 orders:2 orders-v2:0", ""},
		{"^orders:1-7", "orders:1 orders:2", ""},
		{"^.*nternal", "", "^.*nternal: no topic matches"},
		{"^__", "__internal:0", ""},
		{"^nope users:0", "users:0", "^nope: no topic matches"},
		{"nope", "", "nope: UNKNOWN_TOPIC_OR_PARTITION"},
		{"orders:3", "", "orders:3: no such partition: the topic has 0 to 2"},
		{"orders:1-2147483647", "orders:1 orders:2", "orders:3: no such partition"},
		{"orders-v2:1", "", "orders-v2:1: no such partition: the topic has only 0"},
		{"^orders:9", "", "^orders:9: no topic matches"},
	} {
		var targets []Target
		for _, s := range strings.Fields(c.in) {
			target, err := ParseTarget(s, noon)
			if err != nil {
				t.Fatal(err)
			}
			targets = append(targets, target)
		}
		fill := Window{Position{Base: Start}, Position{Base: End}}
		wants, missing, err := Select(targets, Window{}, fill, snap)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		var got []string
		for _, w := range wants {
			s := fmt.Sprintf("%s:%d", w.TP.Topic, w.TP.Partition)
			if w.Window != fill {
				s += "@" + Window{From: w.Window.From}.String()
			}
			got = append(got, s)
		}
		want := strings.Fields(c.want)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.in, got, want)
		}
		if text := fmt.Sprint(errors.Join(missing...)); c.missing == "" && missing != nil || !strings.Contains(text, c.missing) {
			t.Errorf("%s: missing %v, want %q", c.in, missing, c.missing)
		}
	}
}

func TestSelectAppliesTheCommonRangeToTargetsWithoutOne(t *testing.T) {
	k := newCluster(t)
	k.topic("t", 2)
	snap, err := k.client.Refresh(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	own, _ := ParseTarget("t:0@7..", noon)
	bare, _ := ParseTarget("t:1", noon)
	def := Window{Position{End, -5}, Position{End, -1}}
	wants, _, err := Select([]Target{own, bare}, def, Window{}, snap)
	if err != nil || wants[0].Window != (Window{From: Position{Absolute, 7}}) || wants[1].Window != def {
		t.Errorf("%+v, %v", wants, err)
	}
}

func TestSelectRefusesOnePartitionWithTwoRanges(t *testing.T) {
	k := newCluster(t)
	k.topic("t", 2)
	snap, err := k.client.Refresh(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := ParseTarget("t", noon)
	b, _ := ParseTarget("^t:1@-5", noon)
	var conflict *ConflictError
	_, _, err = Select([]Target{a, b}, Window{}, Window{}, snap)
	if !errors.As(err, &conflict) || conflict.TP != (broker.TP{Topic: "t", Partition: 1}) {
		t.Errorf("%v", err)
	}
}

func TestSelectTellsATopicsOwnError(t *testing.T) {
	k := newCluster(t)
	snap, err := k.client.Refresh(t.Context(), nil, "my..topic!")
	if err != nil {
		t.Fatal(err)
	}
	_, missing, _ := Select([]Target{{Text: "x", Topic: "my..topic!"}}, Window{}, Window{}, snap)
	if len(missing) != 1 {
		t.Fatal(missing)
	}
	var topic *TopicError
	if !errors.As(missing[0], &topic) && !errors.Is(missing[0], wire.UnknownTopicOrPartition) {
		t.Errorf("%v", missing[0])
	}
}
