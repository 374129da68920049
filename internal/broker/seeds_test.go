package broker

import (
	"slices"
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
		{in: "a,", err: `entry 2 of "a," is empty`},
		{in: "", err: "no broker is named: want host:port"},
		{in: " ", err: "no broker is named: want host:port"},
		{in: "a,,b", err: `entry 2 of "a,,b" is empty`},
		{in: "a:", err: `"a:": the port is not a number from 1 to 65535`},
		{in: "a:x", err: `"a:x": the port is not a number from 1 to 65535`},
		{in: "a:0", err: `"a:0": the port is not a number from 1 to 65535`},
		{in: "a:65536", err: `"a:65536": the port is not a number from 1 to 65535`},
		{in: "a:-1", err: `"a:-1": the port is not a number from 1 to 65535`},
		{in: ":9092", err: `":9092": no host`},
		{in: "::1", err: `"::1": IPv6 addresses stand in brackets, as [::1]:9092`},
		{in: "a:1:2", err: `"a:1:2": IPv6 addresses stand in brackets, as [::1]:9092`},
		{in: "[::1", err: `"[::1": missing ]`},
		{in: "[::1]9092", err: `"[::1]9092": only a port can come after ]`},
		{in: "[a]:1", err: `"[a]:1": brackets are for IPv6 addresses`},
		{in: "b,x:99999", err: `"x:99999": the port is not a number from 1 to 65535`},
		{in: "PLAINTEXT://a:1", err: `"PLAINTEXT://a:1": a broker is host:port, without PLAINTEXT://`},
		{in: "a b", err: `"a b": not a host name`},
		{in: "a/b", err: `"a/b": not a host name`},
	} {
		got, err := ParseSeeds(tt.in)
		switch {
		case tt.err == "" && (err != nil || !slices.Equal(got, tt.want)):
			t.Errorf("%q: %v, %v, want %v", tt.in, got, err, tt.want)
		case tt.err != "" && (err == nil || err.Error() != tt.err):
			t.Errorf("%q: %v, %v, want the error %q", tt.in, got, err, tt.err)
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
