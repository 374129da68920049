//go:build unix

package kafkatest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Version is a release of Apache Kafka, such as 4.3.1 or 0.8.2.2.
type Version struct {
	text  string
	parts []int
}

// ParseVersion reads a release number of three or four parts.
func ParseVersion(s string) (Version, error) {
	v := Version{text: s}
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return Version{}, fmt.Errorf("kafka version %q: not a release such as 4.3.1 or 0.8.2.2", s)
		}
		v.parts = append(v.parts, n)
	}
	if len(v.parts) < 3 || len(v.parts) > 4 {
		return Version{}, fmt.Errorf("kafka version %q: not a release such as 4.3.1 or 0.8.2.2", s)
	}
	return v, nil
}

// String gives the release number as Maven names it.
func (v Version) String() string { return v.text }

// Before tells whether v is older than the release that begins with parts.
func (v Version) Before(parts ...int) bool { return slices.Compare(v.parts, parts) < 0 }

// scala is the newest Scala for which the broker of this release is published.
func (v Version) scala() string {
	switch {
	case v.Before(0, 10, 2):
		return "2.11"
	case v.Before(2, 5):
		return "2.12"
	}
	return "2.13"
}

// kraft tells whether this release runs without ZooKeeper in good health.
func (v Version) kraft() bool { return !v.Before(3, 3) }

// zookeeper tells whether this release can run on ZooKeeper at all.
func (v Version) zookeeper() bool { return v.Before(4) }
