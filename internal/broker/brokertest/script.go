package brokertest

import (
	"testing"

	"kafkactl/internal/wire"
)

// Step expects one request and answers it.
type Step struct {
	Key   wire.Key
	Check func(r *Request) error // nil: any request of Key will do
	Reply Reply
}

// Script puts steps behind those not used yet. While there are any, each request
// must be the one the next step expects, but for ApiVersions, unless the next
// step is one, and for the probe for old brokers. Steps left at the end of the
// test are an error.
func (s *Server) Script(steps ...Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, steps...)
}

// next takes the step for r, if a script is running; s.mu is held.
func (s *Server) next(r *Request) (Step, bool) {
	if len(s.script) == 0 {
		return Step{}, false
	}
	if s.script[0].Key != r.Key && unscripted(r) {
		return Step{}, false
	}
	step := s.script[0]
	s.script = s.script[1:]
	return step, true
}

func unscripted(r *Request) bool {
	probe, ok := r.Body.(*wire.ListOffsetsRequest)
	return r.Key == wire.APIVersions || ok && len(probe.Topics) == 0
}

func (step Step) reply(t testing.TB, r *Request) (Reply, bool) {
	if r.Key != step.Key {
		t.Errorf("brokertest: %v came where the script has %v", r.Key, step.Key)
		return Reply{}, false
	}
	if step.Check != nil {
		if err := step.Check(r); err != nil {
			t.Errorf("brokertest: %v v%d: %v", r.Key, r.Version, err)
			return Reply{}, false
		}
	}
	return step.Reply, true
}
