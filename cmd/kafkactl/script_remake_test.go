//go:build unix

package main

import (
	"context"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// remake TOPIC:PARTITIONS deletes a topic and makes one of the same name.
func cmdRemake(s *stage, ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: remake TOPIC:PARTITIONS")
	}
	topic, n, _ := strings.Cut(args[0], ":")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cl, err := s.kgo()
	ts.Check(err)
	req := kmsg.NewPtrDeleteTopicsRequest()
	t := kmsg.NewDeleteTopicsRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req.Topics, req.TopicNames, req.TimeoutMillis = append(req.Topics, t), []string{topic}, int32(patience.Milliseconds())
	resp, err := req.RequestWith(ctx, cl)
	ts.Check(err)
	ts.Check(kerr.ErrorForCode(resp.Topics[0].ErrorCode))
	ts.Check(s.create(topic, number(ts, n)))
}
