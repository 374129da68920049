package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"kafkactl/internal/broker"
	"kafkactl/internal/produce"
	"kafkactl/internal/record"
	"kafkactl/internal/wire"
)

// outcome says what became of the records, in the words and with the exit code
// that the contract has for it.
func (o *produceOptions) outcome(ctx context.Context, client *broker.Client, topic string, in produce.Input, rep produce.Report, err error) error {
	if rep.Twice > 0 {
		o.warn("%s sent again after a lost answer; without idempotence they may stand twice", plural(int(rep.Twice), "record"))
	}
	if err == nil {
		o.verbose(1, "%s %s", plural(int(rep.Acked), "record"), o.settled())
		return nil
	}
	if rep.Read == 0 && rep.Cause == nil {
		var code wire.Code
		if errors.As(err, &code) && errors.Is(err, wire.UnknownTopicOrPartition) {
			return o.wordTopic(ctx, client, topic, err)
		}
		return err
	}
	if errors.Is(err, errClosedPipe) {
		return err
	}
	if rep.Cause != nil && errors.Is(err, rep.Cause) {
		err = placed(in, rep, err)
	}
	open := rep.Refused + rep.Unknown
	summary := summaryOf(in, rep, o.settled())
	switch {
	case open == 0:
		// All that was taken is acknowledged; what ended the run is another thing.
		return &summaryError{msg: summary, err: err}
	case rep.Acked > 0:
		return &partialError{msg: summary, err: err}
	case open == 1 && ctx.Err() == nil:
		return err // the cause names its line already
	}
	return &summaryError{msg: summary, err: err}
}

// settled is what became of the records that are done with: nobody acknowledges
// those of acks 0.
func (o *produceOptions) settled() string {
	if o.acks == 0 {
		return "sent"
	}
	return "acknowledged"
}

// summaryOf is "1200 records acknowledged, 3 not (1 of them perhaps stored); the
// first that was not: FILE:17".
func summaryOf(in produce.Input, rep produce.Report, settled string) string {
	s := plural(int(rep.Acked), "record") + " " + settled
	if open := rep.Refused + rep.Unknown; open > 0 {
		s += fmt.Sprintf(", %d not", open)
		if rep.Unknown > 0 {
			s += fmt.Sprintf(" (%d of them may be stored all the same)", rep.Unknown)
		}
		return s + "; the first that was not: " + in.Where(rep.FirstOpen)
	}
	if rep.Last > 0 {
		s += ", all that was read; the last: " + in.Where(rep.Last)
	}
	return s
}

// placed puts the line before what was wrong with it.
func placed(in produce.Input, rep produce.Report, err error) error {
	switch {
	case rep.CauseFirst == 0:
		return err
	case rep.CauseFirst == rep.CauseLast:
		return fmt.Errorf("%s: %w", in.Where(rep.CauseFirst), err)
	}
	return fmt.Errorf("%s to %s: %w", in.Where(rep.CauseFirst), in.Where(rep.CauseLast), err)
}

// receiptWriter prints receipts.
type receiptWriter struct {
	w   *bufio.Writer
	buf []byte
}

func newReceiptWriter(w io.Writer) *receiptWriter {
	return &receiptWriter{w: bufio.NewWriterSize(w, 64<<10)}
}

// Receipt implements produce.Receipts.
func (r *receiptWriter) Receipt(_ int64, tp broker.TP, offset int64) error {
	b := append(r.buf[:0], tp.Topic...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(tp.Partition), 10)
	b = append(b, ' ')
	if offset < 0 {
		b = append(b, '-')
	} else {
		b = strconv.AppendInt(b, offset, 10)
	}
	r.buf = append(b, '\n')
	_, err := r.w.Write(r.buf)
	return err
}

// Flush implements produce.Receipts.
func (r *receiptWriter) Flush() error { return r.w.Flush() }

// pace holds the input to --rate, if there is one.
func (o *produceOptions) pace(in produce.Input) produce.Input {
	if o.rate == 0 {
		return in
	}
	// A burst of a twentieth of a second keeps high rates exact; the first has to
	// be earned like the others.
	burst := max(1, int(float64(o.rate)/20))
	limit := rate.NewLimiter(rate.Limit(o.rate), burst)
	limit.AllowN(time.Now(), burst-1)
	return &pacedInput{Input: in, limit: limit, ready: make(chan struct{}, 1)}
}

// pacedInput is idle while the next record is not due.
type pacedInput struct {
	produce.Input
	limit *rate.Limiter
	ready chan struct{}
	due   bool // the next record has been allowed
	slow  bool // the last ErrIdle was ours
}

// Next implements produce.Input.
func (p *pacedInput) Next(r *record.Record) (int64, error) {
	if !p.due {
		if d := p.limit.Reserve().Delay(); d > 0 {
			p.due, p.slow = true, true
			time.AfterFunc(d, func() { p.ready <- struct{}{} })
			return 0, produce.ErrIdle
		}
	}
	p.due, p.slow = true, false
	line, err := p.Input.Next(r)
	if !errors.Is(err, produce.ErrIdle) {
		p.due = false
	}
	return line, err
}

// Ready implements produce.Input.
func (p *pacedInput) Ready() <-chan struct{} {
	if p.slow {
		return p.ready
	}
	return p.Input.Ready()
}
