package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/spf13/cobra"

	"kafkactl/internal/consume"
	"kafkactl/internal/filter"
	"kafkactl/internal/record"
	"kafkactl/internal/sink"
)

// filtering is which records consume and tail print, and which part of them.
type filtering struct {
	greps     []string
	grep      *filter.Grep
	whereText string
	where     *filter.Expr
	picked    string
	pick      *filter.Expr // --select
	bare      bool         // its strings stand without quotes

	unclear *unclear
}

// unclear counts records that an expression cannot judge.
type unclear struct {
	n     atomic.Int64
	first atomic.Pointer[error]
	pause atomic.Bool // what is read now was counted before
}

func (u *unclear) add(r *record.Record, err error) {
	if u.pause.Load() {
		return
	}
	if u.n.Add(1) == 1 {
		err = fmt.Errorf("%s:%d at offset %d: %w", r.Topic, r.Partition, r.Offset, err)
		u.first.Store(&err)
	}
}

func (f *filtering) addFlags(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.greps, "grep", nil, "only records whose value matches `REGEX`; [!][v:|k:|t:|h:NAME=]REGEX for other parts, repeatable")
	fs.StringVar(&f.whereText, "where", "", "only records for which `EXPR` holds, in jq's language, as in '.value.amount > 100'; kafkactl help filters")
	fs.StringVar(&f.picked, "select", "", "print what `EXPR` makes of a record in its place, as jq -c does; with --raw strings without quotes")
}

// check completes f from the flags as they came.
func (f *filtering) check(cmd *cobra.Command) (err error) {
	f.unclear = new(unclear)
	f.bare, _ = cmd.Flags().GetBool("raw")
	if len(f.greps) > 0 {
		if f.grep, err = filter.NewGrep(f.greps); err != nil {
			return usagef("--grep %v", err).withHint("kafkactl help filters")
		}
	}
	if f.where, err = expression(cmd, "where", f.whereText); err != nil {
		return err
	}
	f.pick, err = expression(cmd, "select", f.picked)
	return err
}

func expression(cmd *cobra.Command, name, text string) (*filter.Expr, error) {
	if !cmd.Flags().Changed(name) {
		return nil, nil
	}
	if text == "" {
		return nil, usagef("--%s: there is no expression in it", name).withHint("kafkactl help filters")
	}
	x, err := filter.NewExpr(text)
	if err != nil {
		return nil, usagef("--%s '%s': %v", name, text, err).withHint("kafkactl help filters")
	}
	return x, nil
}

// wanted says which records count, nil for all. A record that the expression
// cannot judge is none, and counted; with strict it ends its partition. counted
// says that somebody counts them, so that one of which --select makes nothing
// must not be among them.
func (f *filtering) wanted(strict, counted bool) func(context.Context, *record.Record) (bool, error) {
	counted = counted && f.pick != nil
	if f.grep == nil && f.where == nil && !counted {
		return nil
	}
	return func(ctx context.Context, r *record.Record) (ok bool, err error) {
		if f.grep != nil && !f.grep.Keep(r) {
			return false, nil
		}
		if f.where != nil {
			if ok, err = f.where.Keep(ctx, r); err != nil {
				return false, f.judged(ctx, r, strict, "--where", err)
			}
			if !ok {
				return false, nil
			}
		}
		if counted {
			if ok, err = f.pick.Yields(ctx, r); err != nil {
				return false, f.judged(ctx, r, strict, "--select", err)
			}
			return ok, nil
		}
		return true, nil
	}
}

// judged is what an expression's error means for the run: nil where the record is
// left out and counted.
func (f *filtering) judged(ctx context.Context, r *record.Record, strict bool, flag string, err error) error {
	var endless *filter.EndlessError
	if strict || ctx.Err() != nil || errors.As(err, &endless) {
		return fmt.Errorf("%s: %w", flag, err)
	}
	f.unclear.add(r, err)
	return nil
}

// selecting puts before s what --select makes of each record; nothing of one is
// as if it was filtered out.
func (f *filtering) selecting(s consume.Sink, strict bool) consume.Sink {
	if f.pick == nil {
		return s
	}
	return &selected{Sink: s, f: f, strict: strict}
}

type selected struct {
	consume.Sink
	f      *filtering
	strict bool
	lines  []byte
}

// Record implements consume.Sink. What is handed on is the record with its
// results in place of its value.
func (s *selected) Record(ctx context.Context, r *record.Record, m consume.Mark) (err error) {
	if s.lines, err = s.f.pick.Append(ctx, s.lines[:0], r, s.f.bare); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err = s.f.judged(ctx, r, s.strict, "--select", err); err == nil {
			s.Skip(m)
			return nil
		}
		if ferr := s.Flush(ctx); ferr != nil {
			return ferr
		}
		return fmt.Errorf("%s:%d at offset %d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	if len(s.lines) == 0 {
		s.Skip(m)
		return nil
	}
	shown := *r
	shown.Value = s.lines
	return s.Sink.Record(ctx, &shown, m)
}

// appendResults is the form of what selected hands on.
func appendResults(dst []byte, r *record.Record) []byte { return append(dst, r.Value...) }

// worded is language's, or how the results of --select look in a pipe; for a
// terminal they are laid out.
func (p *printing) worded(visible bool) sink.Append {
	if p.pick == nil {
		return p.language.worded(visible)
	}
	return appendResults
}

// guard is language's, with --select before it.
func (p *printing) guard(s consume.Sink, strict, keepGoing bool) consume.Sink {
	return p.selecting(p.language.guard(s, strict, keepGoing), strict)
}

// shortfall is language's, and a warning of records that an expression left out
// for want of understanding.
func (p *printing) shortfall(e *env) error {
	p.tellUnclear(e)
	return p.language.shortfall(e)
}

// tellUnclear says at the end of a run how many records an expression could not
// judge.
func (f *filtering) tellUnclear(e *env) {
	if n := f.unclear.n.Load(); n > 0 {
		e.warn("%s left out, for which the expression fails; the first: %v", plural(int(n), "record"), *f.unclear.first.Load())
	}
}
