package codec

// Range of one aborted transaction: ProducerID's batches from First up to its
// abort marker.
type AbortedRange struct{ ProducerID, First int64 }

// Aborted tells, batch by batch in log order, what read_committed must not show.
// Make one for each partition of each response (or Reset it).
type Aborted struct{}

// Reset starts on the list that came with a response, in any order.
func (a *Aborted) Reset(list []AbortedRange) {}

// Drop reports whether the batch holds nothing to show: a control batch, or a
// batch of an aborted transaction. marker is the control record's type (0 abort,
// 1 commit) and counts only when s.Control(); see MarkerType.
func (a *Aborted) Drop(s Span, marker int16) bool { return s.Control() }

// MarkerHead is how many bytes of a control batch MarkerType wants to see.
const MarkerHead = Head + 16

// MarkerType reads the type of the control record of a batch from its first
// bytes; -1 when they do not tell.
func MarkerType(b []byte) int16 { return -1 }
