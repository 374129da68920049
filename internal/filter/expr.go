package filter

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/itchyny/gojq"

	"kafkactl/internal/record"
)

// Expr is an expression of jq's language over a record as view shows it. It sees
// no environment, no files and no other record. Any number of goroutines may use
// one.
type Expr struct {
	code    *gojq.Code
	needs   needs
	time    time.Duration
	memory  uint64
	endless atomic.Pointer[error] // an EndlessError that was met
}

// ExprError says where an expression cannot be read.
type ExprError struct {
	At  int // the column of the fault in bytes, from 1
	Err error
}

// Error names the place.
func (e *ExprError) Error() string { return fmt.Sprintf("column %d: %v", e.At, e.Err) }

// Unwrap is what is wrong there.
func (e *ExprError) Unwrap() error { return e.Err }

// NewExpr reads an expression such as .value.amount > 100 and .partition == 3.
func NewExpr(text string) (*Expr, error) {
	q, err := gojq.Parse(text)
	if err != nil {
		var at *gojq.ParseError
		if errors.As(err, &at) {
			return nil, &ExprError{At: column(text, at), Err: err}
		}
		return nil, err
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, err
	}
	return &Expr{code: code, needs: needsOf(q), time: mostTime, memory: mostMemory}, nil
}

// column is where the token at fault begins: its offset is behind it, and a byte
// that is no UTF-8 stands in it as a longer character.
func column(text string, at *gojq.ParseError) int {
	begin := at.Offset - len(at.Token)
	if begin < 0 || at.Offset > len(text) || text[begin:at.Offset] != at.Token {
		begin = max(at.Offset-1, 0)
	}
	return begin + 1
}

// run begins the expression over r.
func (x *Expr) run(ctx context.Context, r *record.Record) gojq.Iter {
	if err := x.endless.Load(); err != nil {
		return gojq.NewIter[any](*err)
	}
	return x.code.RunWithContext(&leash{Context: ctx, x: x}, x.view(r))
}

// Keep says that a result of the expression over r is neither null nor false. An
// error is about r, unless it is ctx's or an EndlessError.
func (x *Expr) Keep(ctx context.Context, r *record.Record) (bool, error) {
	for results := x.run(ctx, r); ; {
		v, more := results.Next()
		if !more {
			return false, nil
		}
		if err, bad := v.(error); bad {
			return false, err
		}
		if v != nil && v != false {
			return true, nil
		}
	}
}

// Yields says that the expression has results over r.
func (x *Expr) Yields(ctx context.Context, r *record.Record) (yes bool, err error) {
	for results := x.run(ctx, r); ; yes = true {
		v, more := results.Next()
		if err, bad := v.(error); bad {
			return false, err
		}
		if !more {
			return yes, nil
		}
	}
}

// Append adds the results of the expression over r, each a line of JSON; with raw,
// strings stand without quotes, as jq -r has them. After an error dst is as it was.
func (x *Expr) Append(ctx context.Context, dst []byte, r *record.Record, raw bool) ([]byte, error) {
	from := len(dst)
	for results := x.run(ctx, r); ; {
		v, more := results.Next()
		if !more {
			return dst, nil
		}
		if err, bad := v.(error); bad {
			return dst[:from], err
		}
		if s, ok := v.(string); ok && raw {
			dst = append(append(dst, s...), '\n')
			continue
		}
		b, err := gojq.Marshal(v)
		if err != nil {
			return dst[:from], err
		}
		dst = append(append(dst, b...), '\n')
	}
}
