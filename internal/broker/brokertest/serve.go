package brokertest

import (
	"time"

	"kafkactl/internal/wire"
)

func (c *Cluster) produce(node int32, r *Request, req *wire.ProduceRequest) Reply {
	var resp wire.ProduceResponse
	for _, t := range req.Topics {
		topic := c.named(t.Name, t.TopicID)
		result := wire.ProduceTopicResult{Name: t.Name, TopicID: t.TopicID}
		for _, part := range t.Partitions {
			pr := wire.Default[wire.ProducePartitionResult]()
			pr.Index, pr.BaseOffset = part.Index, -1
			p, code := c.led(topic, r.Version >= 13, part.Index, node)
			if code == wire.None {
				pr.BaseOffset, code = p.append(part.Records)
			}
			if pr.ErrorCode = code; code != wire.None {
				pr.BaseOffset = -1
			}
			result.Partitions = append(result.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, result)
	}
	c.wake()
	if req.Acks == 0 {
		return Silence()
	}
	return Answer(&resp)
}

// fetch waits as long as the request allows for as much as it wants.
func (c *Cluster) fetch(node int32, r *Request, req *wire.FetchRequest) Reply {
	timeout := time.NewTimer(time.Duration(req.MaxWaitMs) * time.Millisecond)
	defer timeout.Stop()
	for {
		c.mu.Lock()
		resp, bytes, failed := c.read(node, r, req)
		changed := c.changed
		c.mu.Unlock()
		if failed || bytes >= int(req.MinBytes) {
			return Answer(resp)
		}
		select {
		case <-changed:
		case <-timeout.C:
			return Answer(resp)
		case <-r.Done:
			return Hangup()
		}
	}
}

func (c *Cluster) read(node int32, r *Request, req *wire.FetchRequest) (resp *wire.FetchResponse, bytes int, failed bool) {
	resp = &wire.FetchResponse{}
	magic := int8(2)
	switch {
	case r.Version < 2:
		magic = 0
	case r.Version < 4:
		magic = 1
	}
	for _, t := range req.Topics {
		topic := c.named(t.Name, t.TopicID)
		result := wire.FetchTopicResult{Name: t.Name, TopicID: t.TopicID}
		for _, part := range t.Partitions {
			pr := wire.Default[wire.FetchPartitionResult]()
			pr.Index, pr.HighWatermark, pr.Records = part.Index, -1, wire.Records{}
			p, code := c.led(topic, r.Version >= 13, part.Index, node)
			switch {
			case code != wire.None:
			case part.CurrentLeaderEpoch >= 0 && part.CurrentLeaderEpoch < p.epoch:
				code = wire.FencedLeaderEpoch
			case part.FetchOffset < p.start || part.FetchOffset > p.end:
				code = wire.OffsetOutOfRange
			}
			if pr.ErrorCode = code; code != wire.None {
				failed = true
				result.Partitions = append(result.Partitions, pr)
				continue
			}
			pr.HighWatermark, pr.LastStableOffset, pr.LogStartOffset = p.end, p.end, p.start
			if r.Version >= 4 {
				pr.AbortedTransactions = []wire.AbortedTransaction{}
			}
			limit := int(part.MaxBytes)
			if r.Version >= 3 {
				limit = min(limit, int(req.MaxBytes)-bytes)
			}
			if limit > 0 || bytes == 0 {
				pr.Records = p.read(part.FetchOffset, limit, r.Version < 3, magic)
			}
			bytes += len(pr.Records)
			result.Partitions = append(result.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, result)
	}
	return resp, bytes, failed
}

func (c *Cluster) listOffsets(node int32, r *Request, req *wire.ListOffsetsRequest) Reply {
	resp := wire.ListOffsetsResponse{Topics: []wire.ListOffsetsTopicResult{}}
	for _, t := range req.Topics {
		result := wire.ListOffsetsTopicResult{Name: t.Name}
		for _, part := range t.Partitions {
			pr := wire.Default[wire.ListOffsetsPartitionResult]()
			pr.Index = part.Index
			var p *partition
			if p, pr.ErrorCode = c.led(c.topics[t.Name], false, part.Index, node); p != nil {
				p.list(r.Version, part, &pr)
			}
			result.Partitions = append(result.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, result)
	}
	return Answer(&resp)
}

// list fills in what offset, or which offsets, a timestamp stands for. Every
// entry is a segment of its own to version 0.
func (p *partition) list(version int16, part wire.ListOffsetsPartition, pr *wire.ListOffsetsPartitionResult) {
	if version == 0 {
		offsets := []int64{}
		if part.Timestamp != wire.EarliestTimestamp {
			offsets = append(offsets, p.end)
			for i := len(p.entries) - 1; i > 0; i-- {
				offsets = append(offsets, p.entries[i].base)
			}
		}
		if part.Timestamp == wire.EarliestTimestamp || len(p.entries) > 0 {
			offsets = append(offsets, p.start)
		}
		pr.OldStyleOffsets = offsets[:min(len(offsets), int(part.MaxNumOffsets))]
		return
	}
	pr.LeaderEpoch = -1
	if version >= 4 {
		pr.LeaderEpoch = p.epoch
	}
	switch part.Timestamp {
	case wire.LatestTimestamp:
		pr.Offset = p.end
	case wire.EarliestTimestamp, wire.EarliestLocalTimestamp:
		pr.Offset = p.start
	default:
		for _, e := range p.entries { // to the batch; Kafka is exact to the record
			if e.newest >= part.Timestamp {
				pr.Offset, pr.Timestamp = e.base, e.newest
				break
			}
		}
	}
}

type storedKey struct {
	group, topic string
	index        int32
	zookeeper    bool // version 0 keeps them apart
}

type storedOffset struct {
	offset   int64
	metadata *string
}

// Stored gives a group's offset, -1 where there is none; zookeeper asks for what
// version 0 stores.
func (c *Cluster) Stored(group, topic string, index int32, zookeeper bool) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.stored[storedKey{group, topic, index, zookeeper}]; ok {
		return s.offset
	}
	return -1
}

func (c *Cluster) findCoordinator(r *Request, req *wire.FindCoordinatorRequest) Reply {
	resp := wire.Default[wire.FindCoordinatorResponse]()
	s := c.nodes[c.coordinator-1]
	if r.Version < 4 {
		resp.NodeID, resp.Host, resp.Port = c.coordinator, s.Host(), s.Port()
	}
	for _, key := range req.Keys {
		k := wire.Default[wire.Coordinator]()
		k.Key, k.NodeID, k.Host, k.Port = key, c.coordinator, s.Host(), s.Port()
		resp.Coordinators = append(resp.Coordinators, k)
	}
	return Answer(&resp)
}

func (c *Cluster) offsetCommit(node int32, r *Request, req *wire.OffsetCommitRequest) Reply {
	var resp wire.OffsetCommitResponse
	for _, t := range req.Topics {
		topic := c.named(t.Name, t.TopicID)
		result := wire.OffsetCommitTopicResult{Name: t.Name, TopicID: t.TopicID}
		for _, p := range t.Partitions {
			code := c.coordinated(node, r.Version, topic, p.Index)
			if code == wire.None {
				c.stored[storedKey{req.GroupID, topic.name, p.Index, r.Version == 0}] = storedOffset{p.CommittedOffset, p.Metadata}
			}
			result.Partitions = append(result.Partitions, wire.OffsetCommitPartitionResult{Index: p.Index, ErrorCode: code})
		}
		resp.Topics = append(resp.Topics, result)
	}
	return Answer(&resp)
}

// coordinated says whether node may answer for a group's offset of a partition.
func (c *Cluster) coordinated(node int32, version int16, t *topic, index int32) wire.Code {
	switch {
	case version > 0 && node != c.coordinator:
		return wire.NotCoordinator
	case t == nil || int(index) >= len(t.parts):
		return wire.UnknownTopicOrPartition
	}
	return wire.None
}

func (c *Cluster) offsetFetch(node int32, r *Request, req *wire.OffsetFetchRequest) Reply {
	resp := wire.Default[wire.OffsetFetchResponse]()
	if r.Version < 8 {
		resp.Topics = c.offsetsOf(node, r.Version, req.GroupID, req.Topics)
		if r.Version >= 2 && node != c.coordinator {
			resp.ErrorCode = wire.NotCoordinator
		}
		return Answer(&resp)
	}
	for _, g := range req.Groups {
		result := wire.OffsetFetchGroupResult{GroupID: g.GroupID, Topics: c.offsetsOf(node, r.Version, g.GroupID, g.Topics)}
		if node != c.coordinator {
			result.ErrorCode = wire.NotCoordinator
		}
		resp.Groups = append(resp.Groups, result)
	}
	return Answer(&resp)
}

// offsetsOf lists a group's offsets of some topics, or all it has with nil.
func (c *Cluster) offsetsOf(node int32, version int16, group string, topics []wire.OffsetFetchTopic) []wire.OffsetFetchTopicResult {
	if topics == nil {
		for name, t := range c.topics {
			want := wire.OffsetFetchTopic{Name: name, TopicID: t.id}
			for i := range t.parts {
				if _, ok := c.stored[storedKey{group, name, int32(i), version == 0}]; ok {
					want.Partitions = append(want.Partitions, int32(i))
				}
			}
			if len(want.Partitions) > 0 {
				topics = append(topics, want)
			}
		}
	}
	list := []wire.OffsetFetchTopicResult{}
	for _, want := range topics {
		t := c.named(want.Name, want.TopicID)
		result := wire.OffsetFetchTopicResult{Name: want.Name, TopicID: want.TopicID}
		if version < 10 {
			result.TopicID = wire.UUID{}
		}
		for _, index := range want.Partitions {
			pr := wire.Default[wire.OffsetFetchPartitionResult]()
			pr.Index, pr.CommittedOffset, pr.Metadata = index, -1, new(string)
			pr.ErrorCode = c.coordinated(node, version, t, index)
			if pr.ErrorCode == wire.None {
				if s, ok := c.stored[storedKey{group, t.name, index, version == 0}]; ok {
					pr.CommittedOffset = s.offset
					if s.metadata != nil {
						pr.Metadata = s.metadata
					}
				}
			}
			result.Partitions = append(result.Partitions, pr)
		}
		list = append(list, result)
	}
	return list
}
