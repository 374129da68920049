package broker

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// DefaultPort is where brokers listen unless told otherwise.
const DefaultPort = "9092"

// ParseSeeds reads a comma-separated list of hosts, each with an optional port
// (default 9092); IPv6 addresses stand in brackets. Blanks are trimmed, an empty
// entry is an error. Errors quote the entry that is wrong, and need no more said
// than where the list was given.
func ParseSeeds(list string) ([]string, error) {
	var seeds []string
	if strings.TrimSpace(list) == "" {
		return nil, fmt.Errorf("no broker is named: want host:port")
	}
	n := 0
	for entry := range strings.SplitSeq(list, ",") {
		n++
		entry = strings.TrimSpace(entry)
		if entry == "" {
			return nil, fmt.Errorf("entry %d of %q is empty", n, list)
		}
		seed, err := parseSeed(entry)
		if err != nil {
			return nil, err
		}
		seeds = append(seeds, seed)
	}
	return seeds, nil
}

func parseSeed(s string) (string, error) {
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return "", fmt.Errorf("%q: a broker is host:port, without %s://", s, scheme)
	}
	host, port := s, DefaultPort
	switch {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", fmt.Errorf("%q: missing ]", s)
		}
		host = s[1:end]
		if !strings.Contains(host, ":") {
			return "", fmt.Errorf("%q: brackets are for IPv6 addresses", s)
		}
		if rest := s[end+1:]; rest != "" {
			p, ok := strings.CutPrefix(rest, ":")
			if !ok {
				return "", fmt.Errorf("%q: only a port can come after ]", s)
			}
			port = p
		}
	case strings.Count(s, ":") > 1:
		return "", fmt.Errorf("%q: IPv6 addresses stand in brackets, as [::1]:%s", s, DefaultPort)
	default:
		if h, p, ok := strings.Cut(s, ":"); ok {
			host, port = h, p
		}
	}
	if host == "" {
		return "", fmt.Errorf("%q: no host", s)
	}
	if strings.ContainsAny(host, " \t/[]") {
		return "", fmt.Errorf("%q: not a host name", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port is not a number from 1 to 65535", s)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}
