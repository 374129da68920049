package wire

import (
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// kind is how one value travels.
type kind uint8

const (
	kindBool kind = iota
	kindInt8
	kindInt16
	kindInt32
	kindInt64
	kindString
	kindStringPtr // a string that may be null
	kindBytes
	kindRecords
	kindUUID
	kindStruct
	kindStructPtr // a struct that may be null
	kindSlice
)

// item describes one value in one version.
type item struct {
	kind  kind
	elem  *item         // of a slice
	plan  *plan         // of a struct
	proto reflect.Value // of a struct that may be null: its defaults, never written
	empty reflect.Value // a slice's non-nil zero length
}

// field is one struct field in one version.
type field struct {
	item
	index     int
	name      string
	def       reflect.Value // never written
	nullable  bool
	ignorable bool
	tag       uint32
}

// plan is one struct in one version: what to write and read, in order.
type plan struct {
	name    string
	flex    bool
	version int16
	records bool    // there is a records field in here somewhere
	least   int     // bytes its smallest encoding takes
	fields  []field // carried untagged, in the order of the wire
	tagged  []field // carried as tagged fields, by tag
	absent  []field // not in this version
	key     *field  // tells the elements of an array apart, if any does
}

// schema is what a struct's tags say for all versions, and its plans.
type schema struct {
	typ     reflect.Type
	fields  []fieldSchema
	proto   reflect.Value // a value with every field at its default; never written
	pointer any           // to proto
	err     error
	plans   [maxVersions]atomic.Pointer[plan]
}

// maxVersions bounds the versions of one API; Kafka's highest is below 20.
const maxVersions = 32

// schemas caches schema by reflect.Type: a pure function of the type, computed
// at most a few times and never invalidated.
var schemas sync.Map

func schemaOf(t reflect.Type) *schema {
	if s, ok := schemas.Load(t); ok {
		return s.(*schema)
	}
	s, _ := schemas.LoadOrStore(t, parseSchema(t))
	return s.(*schema)
}

// planOf compiles a message's plan for a version, once.
func planOf(t reflect.Type, version, flex int16) (*plan, error) {
	s := schemaOf(t)
	if version < 0 || version >= maxVersions {
		return nil, fmt.Errorf("%s: no version %d", t.Name(), version)
	}
	if p := s.plans[version].Load(); p != nil {
		return p, nil
	}
	p, err := s.compile(version, version >= flex)
	if err != nil {
		return nil, err
	}
	s.plans[version].Store(p)
	return p, nil
}

// span is a range of versions, both ends included.
type span struct{ from, to int16 }

var (
	always = span{0, math.MaxInt16}
	never  = span{1, 0}
)

func (s span) has(v int16) bool { return s.from <= v && v <= s.to }

// fieldSchema is one field's tag, parsed.
type fieldSchema struct {
	index     int
	name      string
	typ       reflect.Type
	versions  span
	null      span
	tag       int // -1: not a tagged field
	ignorable bool
	key       bool
}

func parseSchema(t reflect.Type) *schema {
	s := &schema{typ: t}
	if t.Kind() != reflect.Struct {
		s.err = fmt.Errorf("%s is no struct", t)
		return s
	}
	p := reflect.New(t)
	s.proto, s.pointer = p.Elem(), p.Interface()
	for i := range t.NumField() {
		f := t.Field(i)
		fs, err := parseTag(f, s.proto.Field(i))
		if err != nil {
			s.err = fmt.Errorf("%s.%s: %w", t.Name(), f.Name, err)
			return s
		}
		fs.index = i
		s.fields = append(s.fields, fs)
	}
	return s
}

// parseTag reads f's tag and puts its default into def.
func parseTag(f reflect.StructField, def reflect.Value) (fieldSchema, error) {
	fs := fieldSchema{name: f.Name, typ: f.Type, versions: always, null: never, tag: -1}
	if !f.IsExported() {
		return fs, fmt.Errorf("unexported")
	}
	if f.Type.Kind() == reflect.Struct {
		inner := schemaOf(f.Type)
		if inner.err != nil {
			return fs, inner.err
		}
		def.Set(inner.proto)
	}
	text := f.Tag.Get("kafka")
	if text == "" {
		return fs, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "ignorable":
			fs.ignorable = true
		case "key":
			fs.key = true
		case "null":
			fs.null, err = parseSpan(value)
		case "tag":
			fs.tag, err = strconv.Atoi(value)
		case "default":
			err = setDefault(def, value)
		default:
			fs.versions, err = parseSpan(word)
		}
		if err != nil {
			return fs, fmt.Errorf("tag %q: %w", word, err)
		}
	}
	return fs, nil
}

func parseSpan(s string) (span, error) {
	if from, ok := strings.CutSuffix(s, "+"); ok {
		n, err := strconv.ParseUint(from, 10, 8)
		return span{int16(n), math.MaxInt16}, err
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		to = from
	}
	a, err := strconv.ParseUint(from, 10, 8)
	if err != nil {
		return never, err
	}
	b, err := strconv.ParseUint(to, 10, 8)
	return span{int16(a), int16(b)}, err
}

// compile lays a struct out for one version. Flexibility comes from outside: a
// struct shared by two APIs is flexible in one before the other.
func (s *schema) compile(version int16, flex bool) (*plan, error) {
	if s.err != nil {
		return nil, s.err
	}
	p := &plan{name: s.typ.Name(), flex: flex, version: version}
	for _, fs := range s.fields {
		it, err := compileItem(fs.typ, version, flex)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", p.name, fs.name, err)
		}
		f := field{
			item: it, index: fs.index, name: fs.name, def: s.proto.Field(fs.index),
			nullable: fs.null.has(version), ignorable: fs.ignorable,
		}
		switch {
		case !fs.versions.has(version):
			p.absent = append(p.absent, f)
			continue
		case fs.tag < 0:
			p.fields = append(p.fields, f)
			p.least += f.least(flex)
			p.records = p.records || f.hasRecords()
		case !flex:
			return nil, fmt.Errorf("%s.%s: tagged in version %d, which is not flexible", p.name, fs.name, version)
		case f.hasRecords():
			return nil, fmt.Errorf("%s.%s: records in a tagged field", p.name, fs.name)
		default:
			f.tag = uint32(fs.tag)
			p.tagged = append(p.tagged, f)
		}
	}
	for i := range p.fields {
		if s.fields[p.fields[i].index].key {
			p.key = &p.fields[i]
		}
	}
	if flex {
		p.least++ // the count of tagged fields
	}
	sort.Slice(p.tagged, func(i, j int) bool { return p.tagged[i].tag < p.tagged[j].tag })
	for i := 1; i < len(p.tagged); i++ {
		if p.tagged[i].tag == p.tagged[i-1].tag {
			return nil, fmt.Errorf("%s: tag %d given twice", p.name, p.tagged[i].tag)
		}
	}
	return p, nil
}

var (
	typeRecords = reflect.TypeFor[Records]()
	typeUUID    = reflect.TypeFor[UUID]()
)

func compileItem(t reflect.Type, version int16, flex bool) (item, error) {
	switch {
	case t == typeRecords:
		return item{kind: kindRecords}, nil
	case t == typeUUID:
		return item{kind: kindUUID}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return item{kind: kindBool}, nil
	case reflect.Int8:
		return item{kind: kindInt8}, nil
	case reflect.Int16:
		return item{kind: kindInt16}, nil
	case reflect.Int32:
		return item{kind: kindInt32}, nil
	case reflect.Int64:
		return item{kind: kindInt64}, nil
	case reflect.String:
		return item{kind: kindString}, nil
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.String {
			return item{kind: kindStringPtr}, nil
		}
		if t.Elem().Kind() == reflect.Struct {
			s := schemaOf(t.Elem())
			p, err := s.compile(version, flex)
			return item{kind: kindStructPtr, plan: p, proto: s.proto}, err
		}
	case reflect.Struct:
		p, err := schemaOf(t).compile(version, flex)
		return item{kind: kindStruct, plan: p}, err
	case reflect.Slice:
		empty := reflect.MakeSlice(t, 0, 0)
		if t.Elem().Kind() == reflect.Uint8 {
			return item{kind: kindBytes, empty: empty}, nil
		}
		elem, err := compileItem(t.Elem(), version, flex)
		return item{kind: kindSlice, elem: &elem, empty: empty}, err
	}
	return item{}, fmt.Errorf("a %s cannot travel", t)
}

// least is the fewest bytes a value can take, which bounds what an array's
// count may claim.
func (it *item) least(flex bool) int {
	switch it.kind {
	case kindBool, kindInt8, kindStructPtr:
		return 1
	case kindInt16:
		return 2
	case kindInt32:
		return 4
	case kindInt64:
		return 8
	case kindUUID:
		return 16
	case kindStruct:
		return it.plan.least
	}
	switch {
	case flex:
		return 1
	case it.kind == kindString || it.kind == kindStringPtr:
		return 2
	}
	return 4
}

func (it *item) hasRecords() bool {
	switch it.kind {
	case kindRecords:
		return true
	case kindSlice:
		return it.elem.hasRecords()
	case kindStruct, kindStructPtr:
		return it.plan.records
	}
	return false
}
