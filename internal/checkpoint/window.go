package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync/atomic"
	"time"

	"kafkactl/internal/produce"
	"kafkactl/internal/record"
)

// window is the input of one transaction after another: it ends with each, and
// gives the same records again where a transaction was lost. Standard input
// cannot be read twice, so it keeps them.
type window struct {
	src       produce.Input
	restamped bool
	keepGoing bool

	log   []byte // records of the transaction, framed
	at    int    // how far Next has given them
	count int64
	last  int64 // line
	hash  hash.Hash

	over    error // the input's end, io.EOF for a good one
	skipped int64
	spoilt  *produce.RecordError

	closed  atomic.Bool
	idle    atomic.Bool // the source is, and somebody waits for it
	ready   chan struct{}
	stopped chan struct{}
	timer   *time.Timer
}

func newWindow(src produce.Input, restamped, keepGoing bool) *window {
	w := &window{
		src: src, restamped: restamped, keepGoing: keepGoing, hash: sha256.New(),
		ready: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	w.timer = time.AfterFunc(time.Hour, w.shut)
	w.timer.Stop()
	return w
}

// stop ends what waits for the source.
func (w *window) stop() {
	w.timer.Stop()
	close(w.stopped)
}

// sum is of all records read so far, those of earlier runs included.
func (w *window) sum() string { return hex.EncodeToString(w.hash.Sum(nil)) }

// ended is why the input has no more, nil where it was read to its end.
func (w *window) ended() error {
	if errors.Is(w.over, io.EOF) {
		return nil
	}
	return w.over
}

// shut lets no more into the window.
func (w *window) shut() {
	w.closed.Store(true)
	w.poke()
}

func (w *window) poke() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// drop forgets the records, which are committed.
func (w *window) drop() { w.log, w.at, w.count = w.log[:0], 0, 0 }

// replay gives the records from the first, and takes more in for d if none were
// given before.
func (w *window) replay(d time.Duration) {
	w.at = 0
	if !w.closed.Load() {
		w.timer.Reset(d)
	}
}

// peek waits for the first record of a transaction, so that none is begun for
// nothing. false is the input's end.
func (w *window) peek(ctx context.Context) (bool, error) {
	if w.count > 0 {
		return true, nil
	}
	w.timer.Stop()
	w.closed.Store(false)
	stop := context.AfterFunc(ctx, w.poke)
	defer stop()
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		var rec record.Record
		_, err := w.take(&rec)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, produce.ErrIdle):
			<-w.ready
		default:
			return false, nil
		}
	}
}

// skip reads what was committed before, and holds that it is the same.
func (w *window) skip(ctx context.Context, to position) error {
	for n := int64(0); n < to.records; n++ {
		more, err := w.peek(ctx)
		if err != nil {
			return err
		}
		if !more {
			if err := w.ended(); err != nil {
				return err
			}
			return fmt.Errorf("the input ends after record %d, though %d were committed: it is another", n, to.records)
		}
		w.drop()
	}
	w.skipped, w.spoilt = 0, nil // said before
	if w.sum() != to.sum {
		return fmt.Errorf("the first %d records of the input are not those that were committed", to.records)
	}
	return nil
}

// Next implements produce.Input.
func (w *window) Next(r *record.Record) (int64, error) {
	if w.at < len(w.log) {
		return w.again(r), nil
	}
	if len(w.log) >= most {
		w.closed.Store(true)
	}
	return w.take(r)
}

// Ready implements produce.Input.
func (w *window) Ready() <-chan struct{} { return w.ready }

// Where implements produce.Input.
func (w *window) Where(line int64) string { return w.src.Where(line) }

// take reads one record of the source. io.EOF is the window's end.
func (w *window) take(r *record.Record) (int64, error) {
	for {
		if w.over != nil || w.closed.Load() {
			return 0, io.EOF
		}
		if w.idle.Load() {
			return 0, produce.ErrIdle
		}
		line, err := w.src.Next(r)
		var bad *produce.RecordError
		switch {
		case err == nil:
			w.keep(r, line)
			return line, nil
		case errors.Is(err, produce.ErrIdle):
			w.wait(w.src.Ready())
			return 0, err
		case errors.As(err, &bad) && w.keepGoing:
			if w.skipped++; w.spoilt == nil {
				w.spoilt = bad
			}
		default:
			w.over = err
		}
	}
}

// wait passes the source's readiness on.
func (w *window) wait(ready <-chan struct{}) {
	w.idle.Store(true)
	go func() {
		select {
		case <-ready:
		case <-w.stopped:
		}
		w.idle.Store(false)
		w.poke()
	}()
}

// keep frames a record: line, partition, timestamp and its type, then key, value
// and headers, each behind its length plus one, 0 for null.
func (w *window) keep(r *record.Record, line int64) {
	from := len(w.log)
	b := binary.AppendVarint(w.log, line)
	b = binary.AppendVarint(b, int64(r.Partition))
	stamp := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Timestamp))
	b = append(b, byte(r.TimestampType))
	behind := len(b)
	for _, field := range [][]byte{r.Key, r.Value, r.Headers.Raw} {
		if field == nil {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(field))+1)
		b = append(b, field...)
	}
	w.log = b
	if w.restamped {
		w.hash.Write(b[from:stamp])
		w.hash.Write(b[behind:])
	} else {
		w.hash.Write(b[from:])
	}
	w.at = len(b)
	w.count++
	w.last = line
}

// again gives a record that was kept.
func (w *window) again(r *record.Record) int64 {
	b := w.log[w.at:]
	line, n := binary.Varint(b)
	b = b[n:]
	partition, n := binary.Varint(b)
	b = b[n:]
	*r = record.Record{Partition: int32(partition), Timestamp: int64(binary.LittleEndian.Uint64(b)), TimestampType: record.TimestampType(int8(b[8]))}
	b = b[9:]
	for _, field := range []*[]byte{&r.Key, &r.Value, &r.Headers.Raw} {
		size, n := binary.Uvarint(b)
		b = b[n:]
		if size == 0 {
			continue
		}
		end := int(size) - 1
		*field, b = b[:end:end], b[end:]
	}
	w.at = len(w.log) - len(b)
	return line
}
