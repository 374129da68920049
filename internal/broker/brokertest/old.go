package brokertest

import "kafkactl/internal/wire"

// oldness is what becomes of an ApiVersions request and others of its time.
type oldness int8

const (
	kafka010 oldness = iota // it is answered
	kafka08                 // the connection is closed
	kafka09                 // nothing, for ever
)

// unknown says that such a broker has never heard of an API.
func (o oldness) unknown(key wire.Key) bool {
	return o == kafka08 && key > wire.Heartbeat || o == kafka09 && key > wire.ListGroups
}

// Old makes it behave as 0.8 does: it hangs up on ApiVersions and on whatever
// came later than Heartbeat.
func (s *Server) Old() { s.setOld(kafka08) }

// OldMute makes it behave as 0.9 does: it never answers ApiVersions, nor whatever
// came later than ListGroups.
func (s *Server) OldMute() { s.setOld(kafka09) }

func (s *Server) setOld(o oldness) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old = o
}
