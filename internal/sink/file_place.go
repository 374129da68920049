package sink

import (
	"errors"
	"io/fs"
	"path"

	"kafkactl/internal/consume"
	"kafkactl/internal/record"
)

// target finds the file that r goes to, and begins it if need be. written says
// that a killed run had finished one with r in it.
func (s *FileSink) target(r *record.Record, m consume.Mark) (t *target, written bool, err error) {
	again := s.files.mayBeWritten(placeOf(m.P), r.Offset)
	if s.at != nil && s.atP == m.P && s.files.c.Template.steady() && s.atT == s.timeOf(r) && !again {
		return s.at, false, nil
	}
	s.keyed = s.files.c.Template.key(s.keyed[:0], r)
	if again && s.files.wasWritten(placeOf(m.P), r.Offset, string(s.keyed)) {
		return nil, true, nil
	}
	if t := s.targets[string(s.keyed)]; t != nil {
		return t, false, nil
	}
	for len(s.targets) >= s.most.pieces {
		if err := s.finish([]*target{s.age[0]}); err != nil {
			return nil, false, err
		}
	}
	t, err = s.begin(string(s.keyed), r.Offset)
	return t, false, err
}

// steady says that a partition and a time decide a name.
func (t *Template) steady() bool {
	for i := range t.items {
		if t.items[i].verb == 'k' || t.items[i].verb == 'h' {
			return false
		}
	}
	return true
}

// timeOf is what decides how r's time stands in a name.
func (s *FileSink) timeOf(r *record.Record) int64 {
	switch t := s.files.c.Template; {
	case !t.byTime:
		return 0
	case t.perMilli || r.Timestamp < 0:
		return r.Timestamp
	}
	return r.Timestamp / 1000
}

// prefixOf is what is known of m's partition. One that takes another's place,
// because the log lost its position or it was given back, waits until that one's
// files are finished: what is told must not go back.
func (s *FileSink) prefixOf(m consume.Mark) (*prefix, error) {
	if p := s.parts[m.P]; p != nil {
		return p, nil
	}
	if old := s.now[placeOf(m.P)]; old != nil {
		err := s.finish(s.unfinished(func(t *target) bool { return t.held[old] != nil }))
		if err != nil {
			return nil, err
		}
		delete(s.parts, old)
	}
	p := new(prefix)
	s.parts[m.P], s.now[placeOf(m.P)] = p, m.P
	return p, nil
}

// begin makes the next file of a key.
func (s *FileSink) begin(key string, offset int64) (*target, error) {
	t := &target{key: key, first: offset, opened: s.files.c.now(), held: make(map[*consume.Partition]*holding)}
	err := s.roomFor(func() (err error) {
		t.f, err = s.files.claim(t)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.targets[key] = t
	s.age = append(s.age, t)
	return t, s.equip(t)
}

// ready makes t, which may be parked, fit for writing, and the one used last.
func (s *FileSink) ready(t *target) error {
	if t.f != nil {
		if s.used != t {
			s.unlink(t)
			s.link(t)
		}
		return nil
	}
	err := s.roomFor(func() (err error) {
		t.f, err = s.files.c.sys.reopen(t.part)
		return fileError(t.name, "open", err)
	})
	if err != nil {
		return err
	}
	return s.equip(t)
}

// roomFor opens a file; where the system has no descriptor left, others are parked.
func (s *FileSink) roomFor(open func() error) error {
	for s.open >= s.most.open {
		if err := s.park(s.oldest); err != nil {
			return err
		}
	}
	for {
		err := open()
		if err == nil || !tooMany(err) || s.open == 0 {
			return err
		}
		if perr := s.park(s.oldest); perr != nil {
			return perr
		}
		s.most.open = max(1, s.open)
	}
}

// equip gives an open t its page and its compressor.
func (s *FileSink) equip(t *target) error {
	s.link(t)
	s.open++
	if n := len(s.pages); n > 0 {
		t.page, s.pages = s.pages[n-1], s.pages[:n-1]
	} else {
		t.page = make([]byte, 0, filePage+filePage/4)
	}
	if s.files.suffix == "" {
		return nil
	}
	if n := len(s.spare); n > 0 {
		t.enc, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		var err error
		if t.enc, err = newEncoder(s.files.suffix); err != nil {
			return fileError(t.name, "compress", err)
		}
	}
	t.enc.Reset(t)
	return nil
}

// park writes what t has and closes it.
func (s *FileSink) park(t *target) error {
	err := t.settle()
	f := s.strip(t)
	return errors.Join(err, fileError(t.name, "close", f.Close()))
}

// strip takes back what equip gave, and the open file.
func (s *FileSink) strip(t *target) openFile {
	s.unlink(t)
	s.open--
	if cap(t.page) <= 4*filePage {
		s.pages = append(s.pages, t.page[:0])
	}
	if t.enc != nil {
		s.spare = append(s.spare, t.enc)
	}
	f := t.f
	t.f, t.enc, t.page = nil, nil, nil
	return f
}

// link makes an open t the one used last.
func (s *FileSink) link(t *target) {
	t.older, t.newer = s.used, nil
	if s.used != nil {
		s.used.newer = t
	} else {
		s.oldest = t
	}
	s.used = t
}

func (s *FileSink) unlink(t *target) {
	if t.newer != nil {
		t.newer.older = t.older
	} else {
		s.used = t.older
	}
	if t.older != nil {
		t.older.newer = t.newer
	} else {
		s.oldest = t.newer
	}
	t.older, t.newer = nil, nil
}

// claim makes the unfinished file of a name that nobody has, with a number where
// that is needed, and fills in what t is called.
func (f *Files) claim(t *target) (openFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; ; t.n++ {
		t.n = max(t.n, f.numbers[t.key], f.base)
		t.name = f.c.Template.name(t.key, t.first, t.n)
		if err := f.prepare(path.Dir(t.name)); err != nil {
			return nil, err
		}
		t.part = f.run.part(t.name)
		there, err := f.c.sys.exists(t.name)
		if err != nil {
			return nil, fileError(t.name, "create", err)
		}
		if there {
			f.taken(t)
			continue
		}
		file, err := f.c.sys.create(t.part)
		if errors.Is(err, fs.ErrExist) {
			continue // another of this run's, whose name differs in case at most
		}
		if err != nil {
			return nil, fileError(t.name, "create", err)
		}
		return file, nil
	}
}

// taken notes, once a name, that a file of an earlier run has it.
func (f *Files) taken(t *target) {
	if _, said := f.numbers[t.key]; !said && t.n == f.base {
		f.c.Note("%s is there already and stays as it is; the next has a number", t.name)
	}
	f.numbered(t.key, t.n+1)
}

// numbersKept bounds how many names' numbers are kept; of others they are looked
// for anew.
const numbersKept = 100_000

func (f *Files) numbered(key string, next int) {
	if f.c.Template.first {
		return // the next has another offset in its name
	}
	if len(f.numbers) >= numbersKept {
		clear(f.numbers)
	}
	f.numbers[key] = next
}

// prepare makes a directory.
func (f *Files) prepare(dir string) error {
	if f.dirs[dir] {
		return nil
	}
	if err := f.c.sys.mkdirs(dir); err != nil {
		return fileError(dir, "create", err)
	}
	if err := f.run.write(runLine{Dir: dir}); err != nil {
		return err
	}
	if len(f.dirs) >= numbersKept {
		clear(f.dirs)
	}
	f.dirs[dir] = true
	return nil
}

func placeOf(p *consume.Partition) place { return place{p.Topic, p.Partition} }
