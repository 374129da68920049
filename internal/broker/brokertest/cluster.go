package brokertest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"

	"kafkactl/internal/wire"
)

// Cluster is Servers that hold topics in memory and answer for them in every
// version, from 0.8's on: Metadata, Produce, Fetch, ListOffsets, CreateTopics,
// FindCoordinator, InitProducerId, OffsetCommit and OffsetFetch. Node ids begin
// at 1. A handler or script of a node comes before the cluster's own answer.
//
// It is simpler than Kafka: every replica is as good as the leader, offsets are
// committed by anybody, and there are no transactions.
type Cluster struct {
	t     testing.TB
	nodes []*Server

	mu          sync.Mutex
	topics      map[string]*topic
	controller  int32
	coordinator int32
	autoCreate  bool
	created     []string
	stored      map[storedKey]storedOffset
	producers   int64
	changed     chan struct{} // closed when a log or a leader changes
}

type topic struct {
	name  string
	id    wire.UUID
	parts []*partition
}

// NewCluster starts n brokers on free ports of 127.0.0.1.
func NewCluster(t testing.TB, n int) *Cluster {
	t.Helper()
	return newCluster(t, n, func(int) *Server { return New(t) })
}

// NewPipeCluster makes n brokers that are reached by Dial alone, as node1:9092,
// node2:9092 and so on, over net.Pipe.
func NewPipeCluster(t testing.TB, n int) *Cluster {
	t.Helper()
	return newCluster(t, n, func(id int) *Server { return newPipe(t, fmt.Sprintf("node%d:9092", id)) })
}

func newCluster(t testing.TB, n int, node func(id int) *Server) *Cluster {
	c := &Cluster{
		t: t, topics: make(map[string]*topic), stored: make(map[storedKey]storedOffset),
		controller: 1, coordinator: int32(n), changed: make(chan struct{}),
	}
	c.mu.Lock() // the nodes already serve
	defer c.mu.Unlock()
	for i := range n {
		s := node(i + 1)
		s.mu.Lock()
		s.base = func(r *Request) Reply { return c.answer(int32(i+1), r) }
		s.mu.Unlock()
		c.nodes = append(c.nodes, s)
	}
	return c
}

// Node is the broker of that id.
func (c *Cluster) Node(id int32) *Server { return c.nodes[id-1] }

// Seeds are the addresses of all nodes.
func (c *Cluster) Seeds() []string {
	var list []string
	for _, s := range c.nodes {
		list = append(list, s.Addr())
	}
	return list
}

// Dial fits broker.Config.Dial and leads to the node of that address.
func (c *Cluster) Dial(ctx context.Context, addr string) (net.Conn, error) {
	for _, s := range c.nodes {
		if s.Addr() != addr {
			continue
		}
		if s.pipe {
			return s.Dial(ctx, addr)
		}
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}
}

// All does something to every node, say (*Server).Old.
func (c *Cluster) All(do func(s *Server)) {
	for _, s := range c.nodes {
		do(s)
	}
}

// Count is how many requests of an API have come to all nodes together.
func (c *Cluster) Count(key wire.Key) int {
	n := 0
	for _, s := range c.nodes {
		n += s.Count(key)
	}
	return n
}

// Create makes a topic; its partitions are led by the nodes in turn, from the
// first on.
func (c *Cluster) Create(name string, partitions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.create(name, partitions)
}

func (c *Cluster) create(name string, partitions int) {
	t := &topic{name: name}
	copy(t.id[:], fmt.Sprintf("%-16.16s", name))
	for i := range partitions {
		t.parts = append(t.parts, &partition{leader: int32(i%len(c.nodes)) + 1, highest: make(map[int64][]appended)})
	}
	c.topics[name] = t
	c.wake()
}

// AutoCreate makes the cluster create topics that clients name in metadata
// requests and do not forbid to create, as Kafka does by default. Created lists
// them.
func (c *Cluster) AutoCreate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.autoCreate = true
}

// Created lists the topics that requests have created.
func (c *Cluster) Created() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.created)
}

// Delete removes a topic.
func (c *Cluster) Delete(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.topics, name)
	c.wake()
}

// Lead makes node the leader of a partition, in a new epoch; -1 is nobody.
func (c *Cluster) Lead(name string, index, node int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.topics[name].parts[index]
	p.leader = node
	p.epoch++
	c.wake()
}

// Control makes node the controller.
func (c *Cluster) Control(node int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.controller = node
}

// Coordinate makes node the coordinator of everything.
func (c *Cluster) Coordinate(node int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.coordinator = node
}

// wake lets waiting fetches look again; c.mu is held.
func (c *Cluster) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// answer is what node says to a request, the zero Reply where it is not the
// cluster's to answer.
func (c *Cluster) answer(node int32, r *Request) Reply {
	if fetch, ok := r.Body.(*wire.FetchRequest); ok {
		return c.fetch(node, r, fetch) // it waits
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch req := r.Body.(type) {
	case *wire.MetadataRequest:
		return c.metadata(r, req)
	case *wire.ProduceRequest:
		return c.produce(node, r, req)
	case *wire.ListOffsetsRequest:
		return c.listOffsets(node, r, req)
	case *wire.CreateTopicsRequest:
		return c.createTopics(node, req)
	case *wire.FindCoordinatorRequest:
		return c.findCoordinator(r, req)
	case *wire.InitProducerIDRequest:
		return c.initProducerID(r)
	case *wire.OffsetCommitRequest:
		return c.offsetCommit(node, r, req)
	case *wire.OffsetFetchRequest:
		return c.offsetFetch(node, r, req)
	}
	return Reply{}
}

// named finds a topic by name or, where the version has them, by id.
func (c *Cluster) named(name string, id wire.UUID) *topic {
	if t := c.topics[name]; t != nil {
		return t
	}
	for _, t := range c.topics {
		if id != (wire.UUID{}) && t.id == id {
			return t
		}
	}
	return nil
}

// led finds a partition that node leads, or the code that says why it does not.
func (c *Cluster) led(t *topic, byID bool, index, node int32) (*partition, wire.Code) {
	switch {
	case t == nil && byID:
		return nil, wire.UnknownTopicID
	case t == nil || index < 0 || int(index) >= len(t.parts):
		return nil, wire.UnknownTopicOrPartition
	case t.parts[index].leader != node:
		return nil, wire.NotLeaderOrFollower
	}
	return t.parts[index], wire.None
}

func (c *Cluster) metadata(r *Request, req *wire.MetadataRequest) Reply {
	resp := wire.Default[wire.MetadataResponse]()
	id := "cluster"
	resp.ClusterID, resp.ControllerID = &id, c.controller
	for i, s := range c.nodes {
		s.mu.Lock()
		up := !s.stopped()
		s.mu.Unlock()
		if up {
			resp.Brokers = append(resp.Brokers, wire.MetadataBroker{NodeID: int32(i) + 1, Host: s.Host(), Port: s.Port()})
		}
	}
	if req.Topics == nil || r.Version == 0 && len(req.Topics) == 0 {
		for _, name := range slices.Sorted(maps.Keys(c.topics)) {
			resp.Topics = append(resp.Topics, c.describe(name, c.topics[name]))
		}
		return Answer(&resp)
	}
	for i := range req.Topics {
		name := ""
		if req.Topics[i].Name != nil {
			name = *req.Topics[i].Name
		}
		t := c.named(name, req.Topics[i].TopicID)
		if t == nil && c.autoCreate && (r.Version < 4 || req.AllowAutoTopicCreation) {
			c.create(name, 1)
			c.created = append(c.created, name)
			t = c.topics[name]
		}
		resp.Topics = append(resp.Topics, c.describe(name, t))
	}
	return Answer(&resp)
}

func (c *Cluster) describe(name string, t *topic) wire.MetadataTopic {
	m := wire.Default[wire.MetadataTopic]()
	m.Name = &name
	if t == nil {
		m.ErrorCode = wire.UnknownTopicOrPartition
		return m
	}
	m.Name, m.TopicID = &t.name, t.id
	var all []int32
	for i := range c.nodes {
		all = append(all, int32(i)+1)
	}
	for i, p := range t.parts {
		mp := wire.Default[wire.MetadataPartition]()
		mp.Index, mp.LeaderID, mp.LeaderEpoch = int32(i), p.leader, p.epoch
		mp.ReplicaNodes, mp.IsrNodes = all, all
		if p.leader < 0 {
			mp.ErrorCode = wire.LeaderNotAvailable
		}
		m.Partitions = append(m.Partitions, mp)
	}
	return m
}

func (c *Cluster) createTopics(node int32, req *wire.CreateTopicsRequest) Reply {
	var resp wire.CreateTopicsResponse
	for _, t := range req.Topics {
		result := wire.Default[wire.CreatableTopicResult]()
		result.Name = t.Name
		switch {
		case node != c.controller:
			result.ErrorCode = wire.NotController
		case c.topics[t.Name] != nil:
			result.ErrorCode = wire.TopicAlreadyExists
		case !req.ValidateOnly:
			c.create(t.Name, max(1, int(t.NumPartitions)))
			c.created = append(c.created, t.Name)
			result.TopicID = c.topics[t.Name].id
		}
		resp.Topics = append(resp.Topics, result)
	}
	return Answer(&resp)
}

func (c *Cluster) initProducerID(r *Request) Reply {
	c.producers++
	resp := wire.Default[wire.InitProducerIDResponse]()
	resp.ProducerID, resp.ProducerEpoch = 1000*c.producers, 0
	return Answer(&resp)
}
