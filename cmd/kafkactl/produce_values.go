package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"kafkactl/internal/produce"
	"kafkactl/internal/wire/codec"
)

// compressionValue is TYPE or TYPE:LEVEL.
type compressionValue struct {
	typ   codec.Type
	level int
}

func (v *compressionValue) Set(s string) error {
	name, level, hasLevel := strings.Cut(s, ":")
	types := []codec.Type{codec.Uncompressed, codec.Gzip, codec.Snappy, codec.LZ4, codec.Zstd}
	var names []string
	for _, t := range types {
		names = append(names, t.String())
		if t.String() != name {
			continue
		}
		n := 0
		if hasLevel {
			var err error
			if n, err = strconv.Atoi(level); err != nil || n == 0 {
				return fmt.Errorf("level %q: want a number from 1 on", level)
			}
			if err := codec.CheckLevel(t, n); err != nil {
				return err
			}
		}
		v.typ, v.level = t, n
		return nil
	}
	return fmt.Errorf("want %s, and perhaps :LEVEL", orList(names))
}

func (v *compressionValue) String() string {
	if v.level != 0 {
		return v.typ.String() + ":" + strconv.Itoa(v.level)
	}
	return v.typ.String()
}

// Type implements pflag.Value.
func (*compressionValue) Type() string { return "TYPE[:LEVEL]" }

// acksFlag is all, or a number of replicas.
type acksFlag int16

func (v *acksFlag) Set(s string) error {
	if s == "all" || s == "-1" {
		*v = produce.AcksAll
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 16)
	if err != nil || n < 0 {
		return fmt.Errorf("want all, 0, 1 or a number of replicas")
	}
	*v = acksFlag(n)
	return nil
}

func (v *acksFlag) String() string {
	if *v == produce.AcksAll {
		return "all"
	}
	return strconv.Itoa(int(*v))
}

// Type implements pflag.Value.
func (*acksFlag) Type() string { return "all|0|1|N" }

// rateValue is a number of records a second.
type rateValue float64

func (v *rateValue) Set(s string) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "/s"), 64)
	if err != nil || n <= 0 || math.IsInf(n, 0) {
		return fmt.Errorf("want records a second, as in 100/s")
	}
	*v = rateValue(n)
	return nil
}

func (v *rateValue) String() string {
	if *v == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*v), 'g', -1, 64) + "/s"
}

// Type implements pflag.Value.
func (*rateValue) Type() string { return "N/s" }

// partitionValue is a partition's number; the field keeps -1 while none is given.
type partitionValue struct{ p *int32 }

func (v partitionValue) Set(s string) error {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return fmt.Errorf("want a partition's number")
	}
	*v.p = int32(n)
	return nil
}

func (v partitionValue) String() string {
	if *v.p < 0 {
		return ""
	}
	return strconv.Itoa(int(*v.p))
}

// Type implements pflag.Value.
func (partitionValue) Type() string { return "N" }
