package format

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/record"
)

// randomTime is a strftime format that may or may not be read back.
func randomTime(rng *rand.Rand) string {
	const directives = "YyCmBbhAadejkHlIPpMSsfzcvrFDxTXR"
	var b strings.Builder
	for k := range 1 + rng.IntN(6) {
		if k > 0 {
			b.WriteString(pick(rng, "-", " ", ":", "/", "", "T", "."))
		}
		b.WriteByte('%')
		b.WriteByte(directives[rng.IntN(len(directives))])
	}
	return b.String()
}

// told is as much of a time as a format says.
func told(t time.Time, spec string) time.Time {
	spec = strings.NewReplacer("%c", "%T", "%r", "%T", "%X", "%T", "%R", "%H:%M").Replace(spec)
	spec = strings.ReplaceAll(spec, "%T", "%H:%M:%S")
	says := func(any string) bool {
		for _, c := range any {
			if strings.Contains(spec, "%"+string(c)) {
				return true
			}
		}
		return false
	}
	h, m, s, ns := t.Hour(), t.Minute(), t.Second(), t.Nanosecond()
	if !says("HkIls") {
		h = 0
	}
	if !says("Ms") {
		m = 0
	}
	if !says("Ss") {
		s = 0
	}
	if !says("f") {
		ns = 0
	}
	return time.Date(t.Year(), t.Month(), t.Day(), h, m, s, ns, t.Location())
}

// A form of time that is not refused is read back as all that it says, whatever
// the century and the half of the day.
func TestTimesAreReadBackAsPrinted(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	zones := []*time.Location{time.UTC, time.FixedZone("", 5400), time.FixedZone("", -12600)}
	read := 0
	for read < 4000 {
		spec, zone := randomTime(rng), zones[rng.IntN(len(zones))]
		p, err := Compile(`%T{`+spec+`}\t%s\n`, zone)
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		q, err := p.Parser()
		if err != nil {
			continue
		}
		read++
		r := record.Record{Timestamp: rng.Int64N(4102444800000), Value: []byte("v")} // up to the year 2100
		line := p.Append(nil, &r)
		var got record.Record
		if err := q.Line(line[:len(line)-1], &got); err != nil {
			t.Fatalf("%s: %v in %q", spec, err, line)
		}
		if want := told(time.UnixMilli(r.Timestamp).In(zone), spec).UnixMilli(); got.Timestamp != want {
			t.Fatalf("%s: %q came back as %d, want %d", spec, line, got.Timestamp, want)
		}
	}
}
