package sink

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// FilesConfig says which files are written, and when one is finished. Template,
// Format and Done are needed.
type FilesConfig struct {
	Template *Template
	Format   func() Append
	Done     func(consume.Mark) // told of what is in finished files, in order within a partition
	Size     int64              // bytes a file may have; one record may be more. 0: any number
	Count    int64              // records a file may have; 0: any number
	Every    time.Duration      // how long a file is written at most; 0: for ever
	// Identity says whose records these are, and in which form: the group, its
	// targets, what is filtered. What a killed run of the same identity finished and
	// did not commit is not written again. Empty: nobody commits.
	Identity   string
	Note, Warn func(string, ...any)

	sys  fileSystem // the disk, but in tests
	now  func() time.Time
	most limits
}

// limits bound what a sink keeps.
type limits struct {
	open   int // descriptors, compressors and pages
	pieces int // files that are not finished; beyond, the one begun first is
}

// Files is what the file sinks of a run share: the names that are taken, and what
// is kept for the next run should this one be killed.
type Files struct {
	c      FilesConfig
	suffix string // of the compression
	base   int    // the number of a name's first file

	mu      sync.Mutex
	run     *fileRun        // nil before the first record
	numbers map[string]int  // the next of each key
	dirs    map[string]bool // that were made, or were there
	sinks   []*FileSink
	total   FilesTotal
	again   atomic.Int64

	covered map[place]*covered // by files of earlier runs; set once before any record
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// FilesTotal is what was finished.
type FilesTotal struct {
	Files, Records, Bytes int64
	Again                 int64 // records left out because an earlier run had written them
}

// NewFiles makes a Files that has touched no disk yet.
func NewFiles(c FilesConfig) *Files {
	if c.sys == nil {
		c.sys = disk{}
	}
	if c.now == nil {
		c.now = time.Now
	}
	for _, f := range []*func(string, ...any){&c.Note, &c.Warn} {
		if *f == nil {
			*f = func(string, ...any) {}
		}
	}
	f := &Files{c: c, suffix: compressionOf(c.Template.suffix), numbers: make(map[string]int), dirs: make(map[string]bool)}
	if !c.Template.first && (c.Size > 0 || c.Count > 0 || c.Every > 0) {
		f.base = 1 // so that names sort as they were begun
	}
	return f
}

// Sink gives another sink, for one of so many workers. None writes to a file of
// another's.
func (f *Files) Sink(workers int) *FileSink {
	s := &FileSink{
		files: f, format: f.c.Format(), most: f.limits(workers),
		targets: make(map[string]*target), parts: make(map[*consume.Partition]*prefix),
		now: make(map[place]*consume.Partition),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sinks = append(f.sinks, s)
	return s
}

// limits are those of one sink.
func (f *Files) limits(workers int) limits {
	l := limits{open: 256, pieces: 10_000}
	switch f.suffix {
	case ".gz":
		l.open = 64
	case ".zst":
		l.open = 16
	}
	l.open = max(2, min(l.open, descriptors()/4)/max(1, workers))
	if f.c.most.open > 0 {
		l.open = f.c.most.open
	}
	if f.c.most.pieces > 0 {
		l.pieces = f.c.most.pieces
	}
	return l
}

// Total is what was finished so far.
func (f *Files) Total() FilesTotal {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.total
	t.Again = f.again.Load()
	return t
}

// FileSink writes records to files, each under another name until it is finished
// and on the disk. Only then are its records delivered. It is used by one
// goroutine.
type FileSink struct {
	files  *Files
	format Append
	most   limits

	targets map[string]*target // by key
	age     []*target          // all of them, those begun first are first
	used    *target            // the one used last; open ones hang on it
	oldest  *target
	open    int
	spare   []encoder
	pages   [][]byte

	parts map[*consume.Partition]*prefix
	now   map[place]*consume.Partition // that records come of

	at    *target            // where the record before went
	atP   *consume.Partition // whose it was
	atT   int64              // and its time, as fine as names tell
	keyed []byte
	ticks int
	err   error
}

var _ consume.Lingerer = (*FileSink)(nil)

// lookEvery is after how many records a file that is due is looked for.
const lookEvery = 64

// Record implements consume.Sink. The first error sticks.
func (s *FileSink) Record(_ context.Context, r *record.Record, m consume.Mark) error {
	if s.err != nil {
		return s.err
	}
	if s.ticks == 0 {
		if err := s.files.begin(); err != nil {
			return s.fail(err)
		}
	}
	if s.ticks++; s.files.c.Every > 0 && s.ticks%lookEvery == 0 {
		if _, err := s.due(); err != nil {
			return s.fail(err)
		}
	}
	p, err := s.prefixOf(m)
	if err != nil {
		return s.fail(err)
	}
	t, written, err := s.target(r, m)
	if err != nil {
		return s.fail(err)
	}
	if written {
		s.pass(p, m)
		return nil
	}
	return s.fail(s.put(t, p, r, m))
}

// put adds r to t, or where it has no room for it to the next file of its name.
func (s *FileSink) put(t *target, p *prefix, r *record.Record, m consume.Mark) error {
	if err := s.ready(t); err != nil {
		return err
	}
	c := &s.files.c
	whole := len(t.page)
	t.page = s.format(t.page, r)
	if c.Size > 0 && t.records > 0 && t.bytes() > c.Size {
		rest := slices.Clone(t.page[whole:])
		t.page = t.page[:whole]
		if err := s.finish([]*target{t}); err != nil {
			return err
		}
		var err error
		if t, err = s.begin(t.key, r.Offset); err != nil {
			return err
		}
		t.page = append(t.page, rest...)
	}
	h := t.held[m.P]
	if h == nil {
		h = &holding{span: p.begin(), first: r.Offset}
		t.held[m.P] = h
	}
	h.last = r.Offset
	p.pass(m)
	t.records++
	s.at, s.atP, s.atT = t, m.P, s.timeOf(r)
	if len(t.page) >= filePage {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if c.Count > 0 && t.records >= c.Count || c.Size > 0 && t.bytes() >= c.Size {
		return s.finish([]*target{t})
	}
	return nil
}

// Skip implements consume.Sink.
func (s *FileSink) Skip(m consume.Mark) {
	if s.err != nil {
		return
	}
	p, err := s.prefixOf(m)
	if err != nil {
		_ = s.fail(err) // sticks, and the next Record or Flush returns it
		return
	}
	s.pass(p, m)
}

func (s *FileSink) pass(p *prefix, m consume.Mark) {
	p.pass(m)
	if m, moved := p.news(); moved {
		s.files.c.Done(m)
	}
}

// Flush implements consume.Sink: every file is finished.
func (s *FileSink) Flush(context.Context) error {
	if s.err != nil {
		return s.err
	}
	return s.fail(s.finish(s.unfinished(func(*target) bool { return true })))
}

// Release implements consume.Releaser: files that have records of partitions that
// are to be given up are finished, and the others go on.
func (s *FileSink) Release(context.Context) error {
	if s.err != nil {
		return s.err
	}
	return s.fail(s.finish(s.unfinished(func(t *target) bool {
		for p := range t.held {
			if (consume.Mark{P: p}).Stopped() {
				return true
			}
		}
		return false
	})))
}

// Lull implements consume.Lingerer: a file whose time is over is finished though
// nothing comes.
func (s *FileSink) Lull(context.Context) (again time.Duration, err error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.files.c.Every <= 0 {
		return 0, nil
	}
	again, err = s.due()
	return again, s.fail(err)
}

// due finishes files whose time is over, and says when the next one's will be.
func (s *FileSink) due() (again time.Duration, err error) {
	now := s.files.c.now()
	n := 0
	for n < len(s.age) && now.Sub(s.age[n].opened) >= s.files.c.Every {
		n++
	}
	if err := s.finish(slices.Clone(s.age[:n])); err != nil || len(s.age) == 0 {
		return 0, err
	}
	return max(s.files.c.Every-now.Sub(s.age[0].opened), time.Millisecond), nil
}

// unfinished are files that which picks, oldest first.
func (s *FileSink) unfinished(which func(*target) bool) (list []*target) {
	for _, t := range s.age {
		if which(t) {
			list = append(list, t)
		}
	}
	return list
}

func (s *FileSink) fail(err error) error {
	if err != nil && s.err == nil {
		s.err = err
	}
	return err
}
