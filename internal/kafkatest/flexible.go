//go:build unix

package kafkatest

import "encoding/binary"

// count is the length of an array of the flexible versions (KIP-482).
func (a *asker) count(n int) { a.buf = binary.AppendUvarint(a.buf, uint64(n)+1) }

func (a *asker) compact(s string) {
	a.count(len(s))
	a.buf = append(a.buf, s...)
}

// tags are n empty sets of tagged fields.
func (a *asker) tags(n int) { a.buf = append(a.buf, make([]byte, n)...) }

func (a *asker) readCount() int {
	n, size := binary.Uvarint(a.buf)
	if size <= 0 {
		a.take(len(a.buf) + 1)
		return 0
	}
	a.take(size)
	return max(0, min(int(n)-1, len(a.buf)))
}

func (a *asker) readCompact() string { return string(a.take(a.readCount())) }

// readTags expects no tagged fields.
func (a *asker) readTags() { a.take(1) }
