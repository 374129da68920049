package consume

import "kafkactl/internal/wire"

// fetchRequest is a session-less fetch without partitions yet.
func fetchRequest(o *Options, rack string, topics []wire.FetchTopic) wire.FetchRequest {
	req := wire.Default[wire.FetchRequest]()
	req.MaxWaitMs = int32(o.Fetch.Wait.Milliseconds())
	req.MinBytes = o.Fetch.MinBytes
	req.MaxBytes = o.Fetch.MaxBytes
	req.IsolationLevel = o.Isolation
	req.SessionEpoch = -1
	req.RackID = rack
	req.Topics = topics
	return req
}

// addPartition asks for one more partition. at says where its topic stands in
// the request, for a topic may stand there once only.
func addPartition(req *wire.FetchRequest, at map[askKey]int, p *Partition, fp wire.FetchPartition) {
	key := askKey{name: p.Topic, id: p.route.topic}
	i, ok := at[key]
	if !ok {
		i = len(req.Topics)
		at[key] = i
		if i < cap(req.Topics) {
			req.Topics = req.Topics[:i+1]
		} else {
			req.Topics = append(req.Topics, wire.Default[wire.FetchTopic]())
		}
		t := &req.Topics[i]
		t.Name, t.TopicID, t.Partitions = p.Topic, p.route.topic, t.Partitions[:0]
	}
	req.Topics[i].Partitions = append(req.Topics[i].Partitions, fp)
}

const (
	// fewBytes is what a short range is asked for at least, and likelyBytes what a
	// record of it may take.
	fewBytes    = 1 << 20
	likelyBytes = 16 << 10
)

// bytes is how much to ask for of p, one of n partitions.
func (p *Partition) bytes(f *Fetch, n int) int32 {
	b := f.PartitionBytes
	if b <= 0 {
		b = min(f.MaxBytes, max(defaultPartitionBytes, f.MaxBytes/int32(n)))
	}
	if left := p.end.Load() - p.next; left < 1<<16 {
		b = min(b, max(fewBytes, int32(left)*likelyBytes))
	}
	return max(b, p.grown)
}

// grow asks for twice as much after an answer too small for one entry; false
// when the limit is reached.
func (p *Partition) grow(asked, limit int32) bool {
	if asked >= limit {
		return false
	}
	p.grown = limit
	if asked <= limit/2 {
		p.grown = max(2*asked, 1)
	}
	return true
}
