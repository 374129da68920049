//go:build unix

package broker_test

import (
	"testing"

	"kafkactl/internal/broker"
	"kafkactl/internal/kafkatest"
	"kafkactl/internal/wire"
)

// Against real brokers of whatever release: the handshake finds a window for
// each API the release has, metadata names a broker, and a request by the window's
// highest version is answered.
func TestRealBrokersShakeHands(t *testing.T) {
	seeds, err := broker.ParseSeeds(kafkatest.Brokers(t))
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, broker.Config{Seeds: seeds})
	snap, err := client.Refresh(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range snap.Brokers {
		c, err := client.Open(t.Context(), b.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, api := range wire.APIs() {
			w, ok := c.Versions()[api.Key]
			if !ok {
				t.Logf("node %d knows no %s", b.ID, api.Name)
				continue
			}
			t.Logf("node %d speaks %s %d to %d, came in %q", b.ID, api.Name, w[0], w[1], broker.Release(api.Key, w[1]))
		}
		req, resp := wire.Default[wire.ListOffsetsRequest](), wire.Default[wire.ListOffsetsResponse]()
		if _, err := c.Roundtrip(t.Context(), &req, &resp, -1); err != nil {
			t.Error(err)
		}
	}
	if len(snap.Brokers) == 0 {
		t.Error("metadata names no broker")
	}
}
