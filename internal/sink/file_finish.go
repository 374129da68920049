package sink

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"sync"

	"kafkactl/internal/consume"
)

// syncs is how many files are put on the disk at a time.
const syncs = 8

// finish puts files on the disk and gives them their names; then what is in them
// is told. Where one cannot be finished, others may have been, and they count.
func (s *FileSink) finish(list []*target) error {
	var whole []*target
	for _, t := range list {
		if t.gone() {
			if err := s.discard(t); err != nil {
				return err
			}
			continue
		}
		whole = append(whole, t)
	}
	if len(whole) == 0 {
		return nil
	}
	s.at = nil
	failed := s.secure(whole)
	var ready []*target
	for _, t := range whole {
		if failed[t] == nil {
			ready = append(ready, t)
		}
	}
	named, err := s.files.publish(ready)
	s.settle(named)
	errs := []error{}
	for _, t := range whole {
		if failed[t] != nil {
			errs = append(errs, failed[t])
		}
	}
	if len(errs) > 0 {
		return errs[0] // one full disk fails them all
	}
	return err
}

// secure writes what the targets have, and has the system put it on the disk. None
// is open then.
func (s *FileSink) secure(list []*target) map[*target]error {
	failed := make(map[*target]error)
	var open, parked []*target
	files := make(map[*target]openFile)
	for _, t := range list {
		if t.f == nil {
			parked = append(parked, t)
			continue
		}
		err := t.settle()
		f := s.strip(t)
		if err != nil {
			failed[t] = errors.Join(err, fileError(t.name, "close", f.Close()))
			continue
		}
		open, files[t] = append(open, t), f
	}
	s.syncAll(open, files, syncs, failed)
	if len(parked) > 0 && s.open > 0 && s.open >= s.most.open {
		if err := s.park(s.oldest); err != nil {
			failed[parked[0]] = err
			parked = parked[1:]
		}
	}
	s.syncAll(parked, nil, max(1, min(syncs, s.most.open-s.open)), failed)
	return failed
}

// syncAll puts files on the disk, so many at a time.
func (s *FileSink) syncAll(list []*target, files map[*target]openFile, hands int, failed map[*target]error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, hands)
	for _, t := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := s.files.sync(t, files[t]); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[t] = err
			}
		})
	}
	wg.Wait()
}

// sync puts a file on the disk and closes it; f is nil where it is parked.
func (f *Files) sync(t *target, file openFile) error {
	if file == nil {
		var err error
		if file, err = f.c.sys.reopen(t.part); err != nil {
			return fileError(t.name, "open", err)
		}
	}
	if err := file.Sync(); err != nil {
		_ = file.Close()
		return fileError(t.name, "sync", err)
	}
	return fileError(t.name, "close", file.Close())
}

// publish gives files that are on the disk their names. named are those whose
// names are on the disk too.
func (f *Files) publish(list []*target) (named []*target, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.run.intend(list); err != nil {
		return nil, err
	}
	var renamed []*target
	for _, t := range list {
		if err = f.rename(t); err != nil {
			break
		}
		renamed = append(renamed, t)
	}
	synced := make(map[string]error)
	for _, t := range renamed {
		dir := path.Dir(t.name)
		serr, known := synced[dir]
		if !known {
			serr = fileError(dir, "sync", f.c.sys.syncDir(dir))
			synced[dir] = serr
		}
		if serr != nil {
			if err == nil {
				err = serr
			}
			continue
		}
		named = append(named, t)
		f.total.Files++
		f.total.Records += t.records
		f.total.Bytes += t.size
	}
	if derr := f.run.did(named); err == nil {
		err = derr
	}
	return named, err
}

// rename gives t its name, or where somebody took that meanwhile the next.
func (f *Files) rename(t *target) error {
	for {
		err := f.c.sys.rename(t.part, t.name)
		if !errors.Is(err, fs.ErrExist) {
			if err == nil {
				f.numbered(t.key, t.n+1)
			}
			return fileError(t.name, "rename", err)
		}
		f.taken(t)
		t.n++
		t.name = f.c.Template.name(t.key, t.first, t.n)
		if err := f.run.intend([]*target{t}); err != nil {
			return err
		}
	}
}

// settle tells of the records in finished files, partition by partition.
func (s *FileSink) settle(finished []*target) {
	if len(finished) == 0 {
		return
	}
	done := make(map[*target]bool, len(finished))
	var moved []*consume.Partition
	for _, t := range finished {
		done[t] = true
		delete(s.targets, t.key)
		for p, h := range t.held {
			if x := s.parts[p]; x != nil {
				x.end(h.span)
				moved = append(moved, p)
			}
		}
	}
	s.age = slices.DeleteFunc(s.age, func(t *target) bool { return done[t] })
	for _, p := range moved {
		if m, ok := s.parts[p].news(); ok {
			s.files.c.Done(m)
		}
	}
}

// discard drops a file of records that others have taken over.
func (s *FileSink) discard(t *target) error {
	s.at = nil
	if t.f != nil {
		_ = s.strip(t).Close()
	}
	for p, h := range t.held {
		if x := s.parts[p]; x != nil {
			x.end(h.span)
		}
	}
	delete(s.targets, t.key)
	s.age = slices.DeleteFunc(s.age, func(o *target) bool { return o == t })
	err := s.files.c.sys.remove(t.part)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it has its name, and only the directory could not be put on the disk
	}
	return fileError(t.name, "remove", err)
}

// Close removes what is not finished, and what was kept for the case that the run
// is killed, unless it still is of use: then the next run finds it. The sinks must
// not be in use.
func (f *Files) Close() error {
	f.mu.Lock()
	sinks := f.sinks
	f.sinks = nil
	f.mu.Unlock()
	var errs []error
	for _, s := range sinks {
		for len(s.age) > 0 {
			errs = append(errs, s.discard(s.age[0]))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run != nil {
		errs = append(errs, f.run.close())
	}
	f.run = nil
	return errors.Join(errs...)
}
