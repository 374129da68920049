package brokertest

import "kafkactl/internal/wire"

// byDefault answers what every broker answers alike.
func (s *Server) byDefault(r *Request) (Reply, bool) {
	switch body := r.Body.(type) {
	case *wire.ApiVersionsRequest:
		return s.versions(r), true
	case *wire.ListOffsetsRequest:
		if len(body.Topics) == 0 { // how a client finds out that something old is alive
			return Answer(&wire.ListOffsetsResponse{Topics: []wire.ListOffsetsTopicResult{}}), true
		}
	}
	if d, ok := r.Body.(*wire.DescribeGroupsRequest); ok && len(d.Groups) == 0 { // and how old it is
		return Answer(&wire.DescribeGroupsResponse{Groups: []wire.DescribedGroup{}}), true
	}
	if r.Key == wire.APIVersions { // a version that wire does not know
		return s.versions(r), true
	}
	if r.Err != nil {
		s.t.Errorf("brokertest: %v v%d cannot be decoded: %v", r.Key, r.Version, r.Err)
	} else {
		s.t.Errorf("brokertest: nobody answers %v v%d", r.Key, r.Version)
	}
	return Reply{}, false
}

// versions answers ApiVersions, in version 0 where the one asked with is not
// spoken (KIP-511).
func (s *Server) versions(r *Request) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := wire.Default[wire.ApiVersionsResponse]()
	for _, api := range wire.APIs() {
		if w, ok := s.windows[api.Key]; ok {
			resp.APIKeys = append(resp.APIKeys, wire.APIVersionRange{APIKey: api.Key, MinVersion: w[0], MaxVersion: w[1]})
		}
	}
	w := s.windows[wire.APIVersions]
	if r.Version < w[0] || r.Version > w[1] {
		resp.ErrorCode = wire.UnsupportedVersion
		if w[1] < 3 { // brokers before 2.4 name nothing
			resp.APIKeys = nil
		}
		return Answer(&resp).version(0)
	}
	return Answer(&resp)
}
