//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"kafkactl/internal/kafkatest"
)

func TestConsumeOfAnEmptyTopicEnds(t *testing.T) {
	name := topic(t, "empty", 3)
	if out := kafkactl(t, nil, "consume", name).must(t, "consume"); out != "" {
		t.Errorf("it printed %q", out)
	}
}

func TestConsumeOfARangePastTheEndEnds(t *testing.T) {
	name := topic(t, "past", 1)
	kafkactl(t, []byte("a\nb\nc\n"), "produce", name).must(t, "produce")
	for target, want := range map[string]string{
		name + "@1":        "b\nc\n",
		name + "@1..100":   "b\nc\n",
		name + "@100":      "",
		name + "@100..200": "",
		name + "@2..2":     "",
		name + "@-2..-1":   "b\n",
		name + ":0@..+1":   "a\n",
	} {
		if out := kafkactl(t, nil, "consume", target).must(t, "consume "+target); out != want {
			t.Errorf("consume %s printed %q, want %q", target, out, want)
		}
	}
}

// A transaction's marker takes an offset and is no record: a reader that waits
// for the record before the end waits for ever.
func TestConsumeOfTransactionsEndsAndShowsOnlyWhatWasCommitted(t *testing.T) {
	name := topic(t, "transactions", 1)
	python(t, nil, "confluent", "transact", name, "commit", "2", "abort", "2", "commit", "1", "abort", "3")
	for isolation, want := range map[string]string{
		"read_committed":   "commit 0\ncommit 1\ncommit 4\n",
		"read_uncommitted": "commit 0\ncommit 1\nabort 2\nabort 3\ncommit 4\nabort 5\nabort 6\nabort 7\n",
	} {
		out := kafkactl(t, nil, "consume", name, "--isolation", isolation).must(t, "consume")
		if out != want {
			t.Errorf("%s printed %q, want %q", isolation, out, want)
		}
	}
}

func TestConsumeOfACompactedTopicWithHolesEnds(t *testing.T) {
	name := topic(t, "compacted", 1, "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.001",
		"segment.ms", "200", "delete.retention.ms", "0", "max.compaction.lag.ms", "500")
	var in bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&in, "k%d\tv%d\n", i%10, i)
	}
	// Small batches, so that holes lie between batches and within them.
	kafkactl(t, in.Bytes(), "produce", name, "-K", `\t`, "-X", "batch.num.messages=7").must(t, "produce")
	// The last segment is never compacted: something must follow it.
	deadline := time.Now().Add(time.Minute)
	var records []rec
	for n := 0; ; n++ {
		kafkactl(t, fmt.Appendf(nil, "later%d\tx\n", n%2), "produce", name, "-K", `\t`).must(t, "produce")
		if records = readKcat(t, name); len(records) < 500 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the broker has not compacted: %d records", len(records))
		}
		// The cleaner tells nobody when it is through.
		time.Sleep(300 * time.Millisecond)
	}
	end, err := kafkatest.EndOffsets(t.Context(), strings.Split(kafkatest.Brokers(t), ",")[0], name, 1)
	if err != nil {
		t.Fatal(err)
	}
	// Compaction goes on meanwhile: what we read must lie between two readings
	// of kcat's, each record as kcat had it, and in order.
	before := map[int64]string{}
	for _, r := range records {
		before[r.offset] = r.String()
	}
	ours := readOurs(t, name, 1)
	last := int64(-1)
	for _, r := range ours {
		if want, ok := before[r.offset]; !ok || want != r.String() || r.offset <= last {
			t.Fatalf("%v after offset %d; kcat had %q", r, last, want)
		}
		last = r.offset
	}
	had := map[int64]bool{}
	for _, r := range ours {
		had[r.offset] = true
	}
	for _, r := range readKcat(t, name) {
		if !had[r.offset] {
			t.Errorf("kcat still reads %v, which we missed", r)
		}
	}
	if last != end[0]-1 {
		t.Errorf("the last record is at %d, the end %d", last, end[0])
	}
	out := kafkactl(t, nil, "consume", name+"@5..2500").must(t, "consume")
	if strings.Count(out, "\n") > len(records) {
		t.Errorf("a range over holes gave %d lines", strings.Count(out, "\n"))
	}
}

func TestRecordsOfAnySizePass(t *testing.T) {
	name := topic(t, "sizes", 1, "max.message.bytes", "20000000")
	big := func(n int) string { return strings.Repeat("0123456789abcdef", n/16) }
	lines := []string{"", big(900 << 10), "", "small", big(10_000_000), "", big(900 << 10)}
	in := []byte(strings.Join(lines, "\n") + "\n")
	for _, codec := range codecs {
		kafkactl(t, in, "produce", name, "-z", codec).must(t, "produce "+codec)
	}
	want := strings.Repeat(string(in), len(codecs))
	if out := kafkactl(t, nil, "consume", name).must(t, "consume"); out != want {
		t.Errorf("kafkactl read %d bytes, want %d", len(out), len(want))
	}
	out := kcat(t, nil, "-C", "-t", name, "-o", "beginning", "-e", "-q", "-X", "fetch.message.max.bytes=30000000",
		"-X", "receive.message.max.bytes=100000000").must(t, "kcat")
	if out != want {
		t.Errorf("kcat read %d bytes, want %d", len(out), len(want))
	}
}

// A broker checks the inside of a compressed batch only as far as it must, and
// acknowledged this one: records whose lengths are off by one, in sound lz4.
func TestADamagedBatchIsNamedAndPassed(t *testing.T) {
	name := topic(t, "damaged", 3)
	addr := strings.Split(kafkatest.Brokers(t), ",")[0]
	conn, err := kafkatest.Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	write := func(partition int32, batch []byte) {
		t.Helper()
		if _, err := conn.Produce(name, partition, batch); err != nil {
			t.Skip("this broker does not take a damaged batch: ", err)
		}
	}
	value := func(s string) []byte {
		return kafkatest.EncodeRecords(kafkatest.Record{Value: []byte(s)})
	}
	damaged := kafkatest.EncodeRecords(kafkatest.Record{Value: []byte("one")}, kafkatest.Record{Value: []byte("two")})
	damaged[0] += 2 // the first record's length, a zigzag varint, one too many
	for p := range int32(3) {
		write(p, kafkatest.Batch(0, 1, stamp, value(fmt.Sprintf("before %d", p))))
	}
	write(1, kafkatest.Batch(3, 2, stamp, lz4(t, damaged)))
	for p := range int32(3) {
		write(p, kafkatest.Batch(0, 1, stamp, value(fmt.Sprintf("after %d", p))))
	}

	r := kafkactl(t, nil, "consume", name)
	if r.code != 3 {
		t.Errorf("exit %d, want 3\n%s", r.code, r.err)
	}
	if at := name + ":1"; !strings.Contains(r.err, at) || !strings.Contains(r.err, "offset 1") && !strings.Contains(r.err, at+"@1") {
		t.Errorf("stderr names no topic, partition and offset: %s", r.err)
	}
	for _, line := range []string{"before 0", "after 0", "before 1", "before 2", "after 2"} {
		if !strings.Contains(r.out, line+"\n") {
			t.Errorf("%q is missing from %q", line, r.out)
		}
	}
	if strings.Contains(r.out, "after 1") {
		t.Errorf("a partition went on past its damage unasked: %q", r.out)
	}

	r = kafkactl(t, nil, "consume", name, "--keep-going")
	if r.code != 3 {
		t.Errorf("--keep-going: exit %d, want 3\n%s", r.code, r.err)
	}
	if !strings.Contains(r.out, "after 1\n") {
		t.Errorf("--keep-going did not pass the damage: %q", r.out)
	}
}

// lz4 compresses with the tool of that name's own frame format, written by
// hand: one stored block, without checksums.
func lz4(t *testing.T, b []byte) []byte {
	t.Helper()
	frame := []byte{0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82}
	frame = append(frame, byte(len(b)), byte(len(b)>>8), byte(len(b)>>16), 0x80)
	frame = append(frame, b...)
	return append(frame, 0, 0, 0, 0)
}

// Memory must not grow with what lies in the topic while the reader is slow.
func TestMemoryStaysFlatBehindASlowReader(t *testing.T) {
	name := topic(t, "slow", 4)
	var in bytes.Buffer
	for i := range 300_000 {
		fmt.Fprintf(&in, "%0200d\n", i)
	}
	kafkactl(t, in.Bytes(), "produce", name).must(t, "produce")
	cmd := exec.CommandContext(t.Context(), os.Getenv(kafkatest.BinaryVar), "-b", kafkatest.Brokers(t), "consume", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Nothing is read while it fills all it is willing to fill.
	buf := make([]byte, 64<<10)
	if _, err := out.Read(buf); err != nil {
		t.Fatal(err)
	}
	settled, _ := settle(t, cmd.Process.Pid)
	// The system's own account of a child begins with what its parent had, so
	// the peak is asked for on the way.
	peak := 0
	for {
		if _, err := io.CopyN(io.Discard, out, 1<<20); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if _, high, ok := memory(t, cmd.Process.Pid); ok {
			peak = high
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB while nobody read, peak %d MiB, topic of %d MiB", settled, peak, in.Len()>>20)
	if settled > 48 || peak > 48 {
		t.Errorf("%d MiB while nobody read, peak %d MiB", settled, peak)
	}
}

// settle waits until a process no longer grows, and returns its size in MiB.
func settle(t *testing.T, pid int) (size, peak int) {
	t.Helper()
	last := -1
	for same := 0; same < 10; same++ {
		size, peak, _ = memory(t, pid)
		if size != last {
			last, same = size, 0
		}
		time.Sleep(100 * time.Millisecond)
	}
	return size, peak
}

// memory is what a process holds and what it held at most, in MiB.
func memory(t *testing.T, pid int) (size, peak int, ok bool) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	field := func(name string) int {
		_, after, found := strings.Cut(string(text), name)
		if !found {
			return 0 // it has ended
		}
		kib, err := strconv.Atoi(strings.Fields(after)[0])
		if err != nil {
			t.Fatal(err)
		}
		return kib >> 10
	}
	size, peak = field("VmRSS:"), field("VmHWM:")
	return size, peak, peak > 0
}
