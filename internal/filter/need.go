package filter

import (
	"strings"

	"github.com/itchyny/gojq"
)

// needs are the fields of a view that an expression can come to see. Making a
// view costs more than most expressions do, so that what is not needed is left
// out. Whatever is not understood here counts as seeing all.
type needs struct {
	all    bool
	fields map[string]bool
}

func needsOf(q *gojq.Query) needs {
	n := needs{fields: map[string]bool{}}
	n.query(q)
	return n
}

// of says whether a field is needed.
func (n *needs) of(field string) bool { return n.all || n.fields[field] }

// query looks at q where . is the record.
func (n *needs) query(q *gojq.Query) {
	switch {
	case q == nil || n.all:
	case len(q.FuncDefs) > 0 || len(q.Imports) > 0:
		n.all = true
	case q.Term != nil:
		n.term(q.Term)
	case q.Op == gojq.OpPipe && len(q.Patterns) == 0:
		n.query(q.Left)
		if !elsewhere(q.Left) {
			n.query(q.Right)
		}
	case q.Op == gojq.OpPipe || q.Op <= gojq.OpAlt && q.Op > 0:
		n.query(q.Left)
		n.query(q.Right)
	default:
		n.all = true
	}
}

// elsewhere says that q's results are never the record itself, so that what is
// behind a pipe sees no field of it.
func elsewhere(q *gojq.Query) bool {
	switch {
	case q.Term != nil:
		switch q.Term.Type {
		case gojq.TermTypeIndex, gojq.TermTypeNumber, gojq.TermTypeString, gojq.TermTypeObject, gojq.TermTypeArray,
			gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNull, gojq.TermTypeUnary:
			return true
		case gojq.TermTypeQuery:
			return elsewhere(q.Term.Query)
		}
		return false
	case q.Op == gojq.OpPipe:
		return elsewhere(q.Left) || elsewhere(q.Right)
	case q.Op >= gojq.OpEq && q.Op <= gojq.OpOr:
		return true
	}
	return false
}

func (n *needs) term(t *gojq.Term) {
	switch t.Type {
	case gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNull, gojq.TermTypeNumber:
	case gojq.TermTypeIndex:
		n.index(t.Index)
	case gojq.TermTypeString:
		n.text(t.Str)
	case gojq.TermTypeQuery:
		n.query(t.Query)
	case gojq.TermTypeArray:
		n.query(t.Array.Query)
	case gojq.TermTypeUnary:
		n.term(t.Unary.Term)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			n.keyVal(kv)
		}
	case gojq.TermTypeFunc:
		if !strings.HasPrefix(t.Func.Name, "$") { // a variable was somewhere computed
			n.all = true
		}
	default:
		n.all = true
	}
	for _, s := range t.SuffixList {
		if s.Index != nil { // what is in the brackets sees the record too
			n.query(s.Index.Start)
			n.query(s.Index.End)
			n.text(s.Index.Str)
		}
	}
}

func (n *needs) index(x *gojq.Index) {
	switch {
	case x.Name != "":
		n.fields[x.Name] = true
	case x.Str != nil && x.Str.Queries == nil:
		n.fields[x.Str.Str] = true
	default:
		n.all = true
	}
}

func (n *needs) text(s *gojq.String) {
	if s == nil {
		return
	}
	for _, q := range s.Queries {
		n.query(q)
	}
}

func (n *needs) keyVal(kv *gojq.ObjectKeyVal) {
	n.text(kv.KeyString)
	n.query(kv.KeyQuery)
	switch {
	case kv.Val != nil:
		n.query(kv.Val)
	case kv.KeyString != nil:
		n.all = true
	case !strings.HasPrefix(kv.Key, "$"):
		n.fields[kv.Key] = true
	}
}
