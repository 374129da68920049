package badnet

import (
	"bytes"

	"kafkactl/internal/wire"
)

// readdress puts fronts in place of the brokers' addresses in a response, and
// gives all others back as they are. Fetch and Produce tell addresses too, of
// leaders that have moved (KIP-951): these stay, and a test that moves leaders
// has to count with connections that go past the network.
func (n *Net) readdress(due call, frame []byte) []byte {
	switch due.key {
	case wire.Metadata, wire.FindCoordinator:
	default:
		return frame
	}
	api, _ := wire.Lookup(due.key)
	r := wire.NewBytesReader(frame[4:])
	id, err := wire.DecodeResponseHeader(r, due.key, due.version)
	if err != nil {
		n.t.Errorf("badnet: %v v%d: %v", due.key, due.version, err)
		return frame
	}
	resp := api.Response()
	if err := wire.Decode(r, due.version, resp, nil); err != nil {
		n.t.Errorf("badnet: %v v%d: %v", due.key, due.version, err)
		return frame
	}
	switch m := resp.(type) {
	case *wire.MetadataResponse:
		for i := range m.Brokers {
			n.front(&m.Brokers[i].Host, &m.Brokers[i].Port)
		}
	case *wire.FindCoordinatorResponse:
		n.front(&m.Host, &m.Port)
		for i := range m.Coordinators {
			n.front(&m.Coordinators[i].Host, &m.Coordinators[i].Port)
		}
	}
	var f wire.Frame
	if err := wire.AppendResponse(&f, resp, due.version, id); err != nil {
		n.t.Errorf("badnet: %v v%d: %v", due.key, due.version, err)
		return frame
	}
	return bytes.Join(f.Buffers(nil), nil)
}
