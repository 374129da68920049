//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafkactl/internal/broker/brokertest"
	"kafkactl/internal/wire"
)

// victim is a command and one API that it needs an honest answer to.
type victim struct {
	api  wire.Key
	args []string
	in   string
}

func victims() []victim {
	produce := []string{"produce", "orders"}
	consume := []string{"consume", "orders"}
	get := []string{"offsets", "get", "orders"}
	committed := []string{"offsets", "get", "-g", "billing", "orders"}
	standalone := []string{"consume", "-g", "billing", "--standalone", "orders"}
	return []victim{
		{wire.APIVersions, []string{"metadata"}, ""},
		{wire.Metadata, []string{"metadata"}, ""},
		{wire.Metadata, produce, "a\nb\n"},
		{wire.InitProducerID, produce, "a\nb\n"},
		{wire.Produce, produce, "a\nb\n"},
		{wire.Metadata, consume, ""},
		{wire.ListOffsets, consume, ""},
		{wire.Fetch, consume, ""},
		{wire.ListOffsets, get, ""},
		{wire.FindCoordinator, committed, ""},
		{wire.OffsetFetch, committed, ""},
		{wire.FindCoordinator, standalone, ""},
		{wire.Fetch, standalone, ""},
		{wire.DescribeGroups, standalone, ""},
		{wire.OffsetFetch, []string{"offsets", "get", "--all-groups"}, ""},
		{wire.OffsetCommit, []string{"offsets", "commit", "-g", "billing", "orders:0=1"}, ""},
		{wire.OffsetFetch, []string{"offsets", "export", "-g", "billing"}, ""},
		{wire.ListOffsets, []string{"offsets", "seek", "-g", "billing", "orders", "--to", "start", "--yes"}, ""},
		{wire.ListGroups, []string{"groups", "list"}, ""},
		{wire.DescribeGroups, []string{"groups", "describe", "billing"}, ""},
		{wire.CreateTopics, []string{"produce", "new", "--create"}, "a\n"},
	}
}

// lie is a way to answer otherwise than a broker should.
type lie struct {
	name string
	bend brokertest.Bend
	// told says that the error has to name the broker and the API: the answer was
	// no answer, rather than one that says no.
	told bool
	// kind says that a command may also take it for true: it is possible.
	kind bool
}

func frame(size uint32, rest ...byte) []byte {
	return append([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, rest...)
}

// replaced keeps the frame's length and the correlation id and fills the rest.
func replaced(fill func(body []byte)) brokertest.Bend {
	return func(r *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
		b, err := reply.Frame(r)
		if err != nil || len(b) < 8 {
			return reply
		}
		fill(b[8:])
		return brokertest.Raw(b)
	}
}

// resized puts another length before the frame.
func resized(size uint32) brokertest.Bend {
	return func(r *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
		b, _ := reply.Frame(r)
		return brokertest.Raw(frame(size, b[min(4, len(b)):]...))
	}
}

func always(reply brokertest.Reply) brokertest.Bend {
	return func(*brokertest.Request, brokertest.Reply) brokertest.Reply { return reply }
}

// reshaped has change see every slice and string of an answer, the inner ones
// first, with the name of the field it stands in.
func reshaped(change func(name string, v reflect.Value)) brokertest.Bend {
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(name, v.Index(i))
			}
			change(name, v)
		case reflect.Pointer:
			if !v.IsNil() {
				walk(name, v.Elem())
			}
		case reflect.String:
			if v.Len() > 0 { // else the version may have no place for it
				change(name, v)
			}
		}
	}
	return func(_ *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
		if reply.Response() != nil {
			walk("", reflect.ValueOf(reply.Response()).Elem())
		}
		return reply
	}
}

// lists has change see every array of structs of an answer.
func lists(change func(v reflect.Value)) brokertest.Bend {
	return reshaped(func(_ string, v reflect.Value) {
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
			change(v)
		}
	})
}

// forged is a name that steers a terminal, and looks like a message of ours on a
// line of its own.
const forged = "\x1b[2J\x1b]0;x\a\nerror: forged\r\n"

// altered sets every field of that name and kind, however deep.
func altered(pattern string, to int64) brokertest.Bend {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return func(r *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
		if reply.Response() == nil {
			return reply
		}
		v := reflect.ValueOf(reply.Response()).Elem()
		honest := reflect.New(v.Type()).Elem()
		honest.Set(v)
		alter(v, re, to)
		if _, err := reply.Frame(r); err != nil {
			for i := range v.NumField() { // its version has no place for all of it
				if v.Field(i).CanInt() {
					v.Field(i).Set(honest.Field(i))
				}
			}
		}
		return reply
	}
}

func alter(v reflect.Value, re *regexp.Regexp, to int64) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanInt() && re.MatchString(v.Type().Field(i).Name) {
				f.SetInt(to)
			} else {
				alter(f, re, to)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			alter(v.Index(i), re, to)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			alter(v.Elem(), re, to)
		}
	}
}

func lies() []lie {
	list := []lie{
		{name: "wrong correlation id", told: true, bend: func(_ *brokertest.Request, reply brokertest.Reply) brokertest.Reply { return reply.WrongCorrelation() }},
		{name: "frame of 2 GB", told: true, bend: resized(1<<31 - 1)},
		{name: "frame of 1 GB", told: true, bend: resized(1 << 30)},
		{name: "negative frame", told: true, bend: resized(1 << 31)},
		{name: "empty frame", told: true, bend: always(brokertest.Raw(frame(0)))},
		{name: "endless trickle", bend: func(r *brokertest.Request, reply brokertest.Reply) brokertest.Reply {
			b, _ := reply.Frame(r)
			return brokertest.Raw(frame(50<<20, b[min(4, len(b)):]...)).Trickle(2 * time.Millisecond)
		}},
		{name: "silence", bend: always(brokertest.Silence())},
		{name: "hanging up", bend: always(brokertest.Hangup())},
		{name: "cut short", bend: func(_ *brokertest.Request, reply brokertest.Reply) brokertest.Reply { return reply.Short(9) }},
		{name: "all counts negative", told: true, bend: replaced(func(b []byte) {
			for i := range b {
				b[i] = 0xff
			}
		})},
		{name: "all counts huge", told: true, bend: replaced(func(b []byte) {
			for i := range b {
				b[i] = 0x7f
			}
		})},
		{name: "all zero", kind: true, bend: replaced(func(b []byte) { clear(b) })},
		{name: "an unknown error code", kind: true, bend: altered("ErrorCode", 12345)},
		{name: "a negative error code", kind: true, bend: altered("ErrorCode", -32768)},
		{name: "throttled for hours", kind: true, bend: altered("ThrottleMs", 5*3600*1000)},
		{name: "nodes nobody knows", kind: true, bend: altered("NodeID|LeaderID|ControllerID", 1<<30)},
		{name: "ports that cannot be", kind: true, bend: altered("Port", 1<<20)},
		{name: "negative offsets", kind: true, bend: altered(".*Offset|.*Watermark", -1<<62)},
		{name: "huge offsets", kind: true, bend: altered(".*Offset|.*Watermark", 1<<62)},
		{name: "huge numbers of partitions", kind: true, bend: altered("Index", 1<<31-1)},
		{name: "negative numbers of partitions", kind: true, bend: altered("Index", -7)},
		{name: "all of it twice", kind: true, bend: lists(func(v reflect.Value) { v.Set(reflect.AppendSlice(v, v)) })},
		{name: "nothing in it", kind: true, bend: lists(func(v reflect.Value) { v.SetLen(0) })},
		{name: "names that forge messages", kind: true, bend: reshaped(func(_ string, v reflect.Value) {
			if v.Kind() == reflect.String {
				v.SetString(forged)
			}
		})},
		{name: "hosts of 10 kB", kind: true, bend: reshaped(func(name string, v reflect.Value) {
			if name == "Host" && v.Kind() == reflect.String {
				v.SetString(strings.Repeat("h", 10_000))
			}
		})},
		{name: "negative versions", kind: true, bend: altered("MinVersion|MaxVersion", -5)},
		{name: "versions of the future", kind: true, bend: altered("MinVersion|MaxVersion", 30000)},
	}
	for seed := range uint64(4) {
		list = append(list, lie{name: fmt.Sprintf("noise %d", seed), kind: true, bend: replaced(func(b []byte) {
			rng := rand.New(rand.NewPCG(seed, uint64(len(b))))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
		})})
	}
	return list
}

// TestBrokersThatLieCostLittleAndAreNamed has every kind of lie told to every
// command about every API that it uses: the command ends by itself, in little
// memory, with an exit code of the contract, and says who told it what.
func TestBrokersThatLieCostLittleAndAreNamed(t *testing.T) {
	slots := make(chan struct{}, 12)
	var all sync.WaitGroup
	defer all.Wait()
	for _, l := range lies() {
		for _, v := range victims() {
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				name := fmt.Sprintf("%s: %v of %s", l.name, v.api, strings.Join(v.args, " "))
				lied(t, name, l, v)
			})
		}
	}
}

// lied runs a command on a broker that lies. On a machine so busy that a process
// gets nothing done within a second, it is given more of them.
func lied(t *testing.T, name string, l lie, v victim) {
	if !liedTo(t, name, l, v, "1s") {
		liedTo(t, name, l, v, "20s")
	}
}

// liedTo is false where time ran out before the lie was heard.
func liedTo(t *testing.T, name string, l lie, v victim, timeout string) (heard bool) {
	c := brokertest.NewCluster(t, 1)
	c.Create("orders", 2)
	fill(t, c)
	groups(c.Node(1))
	c.Node(1).Bend(v.api, l.bend)
	cmd := command(t, append(v.args, "--timeout", timeout, "-b", c.Seeds()[0])...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(v.in), &out, &said
	err := cmd.Run()
	code := -1
	if cmd.ProcessState != nil {
		code = statusOf(cmd.ProcessState)
	}
	named := strings.Contains(said.String(), c.Seeds()[0]) && strings.Contains(said.String(), v.api.String())
	if timeout == "1s" && l.told && code == exitUnreachable && !named {
		return false
	}
	fail := func(format string, args ...any) {
		t.Errorf("%s: %s\nexit %d (%v), said:\n%.2000s", name, fmt.Sprintf(format, args...), code, err, said.String())
	}
	// A broker of 0.8 ends a conversation about versions like that, what was committed
	// is read back, and of an answer with records the rest is not waited for once there
	// are enough.
	right := v.api == wire.APIVersions || v.api == wire.OffsetCommit || v.api == wire.Fetch && inAnyOrder(out.String()) == "one three two"
	switch {
	case code == exitDone && right:
	case code == exitDone && !l.kind:
		fail("it was believed: %s", out.String())
	case code < exitDone || code > exitNotFound || code == exitUsage:
		fail("that is no way to end")
	}
	if bytes.Contains(said.Bytes(), []byte("goroutine ")) {
		fail("it crashed")
	}
	if s := said.String(); strings.ContainsAny(s, "\x1b\a\r") || strings.Contains("\n"+s, "\nerror: forged") {
		fail("it said what the broker had it say")
	}
	if said.Len() > 8<<10 {
		fail("it said %d bytes", said.Len())
	}
	if l.told && code != exitDone && !named {
		fail("the error names not both of %s and %v", c.Seeds()[0], v.api)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		if mb := usage.Maxrss >> 10; mb > 256 && !raceEnabled { // the race detector takes several times as much
			fail("it took %d MB", mb)
		}
	}
	return true
}

// groups has a node know of one group, with nobody in it.
func groups(s *brokertest.Server) {
	s.Window(wire.ConsumerGroupDescribe, 1, 0)
	s.Handle(wire.ListGroups, func(*brokertest.Request) brokertest.Reply {
		return brokertest.Answer(&wire.ListGroupsResponse{Groups: []wire.ListedGroup{{GroupID: "billing", ProtocolType: "consumer"}}})
	})
	s.Handle(wire.DescribeGroups, func(*brokertest.Request) brokertest.Reply {
		g := wire.Default[wire.DescribedGroup]()
		g.GroupID, g.GroupState, g.ProtocolType = "billing", "Empty", "consumer"
		return brokertest.Answer(&wire.DescribeGroupsResponse{Groups: []wire.DescribedGroup{g}})
	})
}

func inAnyOrder(lines string) string {
	words := strings.Fields(lines)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// fill puts records where a reader finds some.
func fill(t *testing.T, c *brokertest.Cluster) {
	path, err := exec.LookPath("kafkactl")
	if err != nil {
		t.Error(err)
		return
	}
	cmd := command(t, "produce", "orders", "-b", c.Seeds()[0])
	cmd.Path, cmd.Stdin = path, strings.NewReader("one\ntwo\nthree\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("filling: %v: %s", err, out)
	}
}
