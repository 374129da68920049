//go:build unix

package interop

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafkactl/internal/kafkatest"
)

// readKgo reads the first count records of a topic of one partition with another
// Go client: Python's and Java's take header names for UTF-8.
func readKgo(t *testing.T, name string, count int) (out []rec) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(kafkatest.Brokers(t), ",")...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for len(out) < count {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for r := range fetches.RecordsAll() {
			got := rec{r.Partition, r.Offset, r.Timestamp.UnixMilli(), r.Key, r.Value, nil}
			for _, h := range r.Headers {
				got.headers = append(got.headers, header{h.Key, h.Value})
			}
			out = append(out, got)
		}
	}
	return out
}
