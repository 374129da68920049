package journal

import "kafkactl/internal/offsets"

// Entries are the changes in order, as of the last Lock and what was begun since.
func (j *Journal) Entries() []Entry { return j.entries }

// Newest is the newest change in a storage that is not wholly taken back, with
// what is left to take back of it: neither what never came about, nor what an
// earlier undo settled. Undos themselves are not candidates, so that each call
// goes further back. Unless before is 0, only changes of a lower number count. ok
// is false where there is none.
func (j *Journal) Newest(storage offsets.Storage, before int64) (e Entry, left []offsets.Change, ok bool) {
	for i := len(j.entries) - 1; i >= 0; i-- {
		e := j.entries[i]
		if e.Undoes != 0 || e.Storage != storage || before > 0 && e.ID >= before {
			continue
		}
		if left := j.left(&e); len(left) > 0 {
			return e, left, true
		}
	}
	return Entry{}, nil, false
}

func (j *Journal) left(e *Entry) []offsets.Change {
	var left []offsets.Change
	for _, c := range e.Changes {
		if _, failed := e.failure(c.TP.Topic, c.TP.Partition); !failed && !j.settled(e.ID, c) {
			left = append(left, c)
		}
	}
	return left
}

// settled says that an undo took a change back, or found that nothing can.
func (j *Journal) settled(id int64, c offsets.Change) bool {
	for i := range j.entries {
		u := &j.entries[i]
		if u.Undoes != id || !u.Ended {
			continue
		}
		for _, mine := range u.Changes {
			if mine.TP != c.TP {
				continue
			}
			if f, failed := u.failure(c.TP.Topic, c.TP.Partition); !failed || f.Never {
				return true
			}
		}
	}
	return false
}
