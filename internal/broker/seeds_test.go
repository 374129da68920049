package broker

import (
	"slices"
	"strings"
	"testing"
)

func TestS18BrokerLists(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
		err  string
	}{
		{in: "a:1, b", want: []string{"a:1", "b:9092"}},
		{in: "  kafka.example.org  ", want: []string{"kafka.example.org:9092"}},
		{in: "10.0.0.1:19092", want: []string{"10.0.0.1:19092"}},
		{in: "[::1]:9092", want: []string{"[::1]:9092"}},
		{in: "[fe80::1%eth0]", want: []string{"[fe80::1%eth0]:9092"}},
		{in: "a:00080", want: []string{"a:80"}},
		{in: "a,", err: "empty entry"},
		{in: "", err: "empty entry"},
		{in: "a,,b", err: "empty entry"},
		{in: "a:", err: `port ""`},
		{in: "a:x", err: `port "x"`},
		{in: "a:0", err: `port "0"`},
		{in: "a:65536", err: `port "65536"`},
		{in: "a:-1", err: `port "-1"`},
		{in: ":9092", err: "no host"},
		{in: "::1", err: "IPv6 addresses stand in brackets"},
		{in: "a:1:2", err: "IPv6 addresses stand in brackets"},
		{in: "[::1", err: "missing ]"},
		{in: "[::1]9092", err: "after ]"},
		{in: "[a]:1", err: "brackets are for IPv6"},
		{in: "PLAINTEXT://a:1", err: "without PLAINTEXT://"},
		{in: "a b", err: "not a host name"},
		{in: "a/b", err: "not a host name"},
	} {
		got, err := ParseSeeds(tt.in)
		switch {
		case tt.err == "" && (err != nil || !slices.Equal(got, tt.want)):
			t.Errorf("%q: %v, %v, want %v", tt.in, got, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%q: %v, %v, want an error with %q", tt.in, got, err, tt.err)
		}
	}
}

func TestS18SeedsAreShuffledOnlyIfAsked(t *testing.T) {
	list := []string{"a:1", "b:1", "c:1", "d:1", "e:1", "f:1"}
	firsts := make(map[string]bool)
	for range 200 {
		client, err := New(Config{Seeds: list, Shuffle: true})
		if err != nil {
			t.Fatal(err)
		}
		firsts[client.Config().Seeds[0]] = true
	}
	if len(firsts) != len(list) {
		t.Errorf("of 200 clients, only %v came first", firsts)
	}
	client, err := New(Config{Seeds: list})
	if err != nil {
		t.Fatal(err)
	}
	if got := client.Config().Seeds; !slices.Equal(got, list) {
		t.Errorf("seeds %v, want them as they were given", got)
	}
}
