package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kafkactl/internal/offsets"
)

// Entry is one change.
type Entry struct {
	ID        int64 // counts from 1
	Time      time.Time
	Operation string // commit, seek, import, copy, delete, undo
	Storage   offsets.Storage
	Undoes    int64 // the change this one takes back, 0 for none
	Changes   []offsets.Change
	// Ended says that the outcome is known: it was read back. Else the process
	// ended before, and each partition is as before or as meant.
	Ended  bool
	Failed []Failure // what was not changed; known once Ended
}

// Failure is a partition that was not changed.
type Failure struct {
	Topic     string
	Partition int32
	Reason    string
	// Never says that trying again cannot help: the broker has no way to do it.
	Never bool
}

func (e *Entry) end(failed []Failure) { e.Ended, e.Failed = true, failed }

// failure finds what is known of a partition.
func (e *Entry) failure(topic string, partition int32) (Failure, bool) {
	for _, f := range e.Failed {
		if f.Topic == topic && f.Partition == partition {
			return f, true
		}
	}
	return Failure{}, false
}

// The lines of the file. Fields are only ever added.
type (
	beginLine struct {
		Begin     int64        `json:"begin"`
		Time      time.Time    `json:"time"`
		Cluster   string       `json:"cluster"`
		Group     string       `json:"group"`
		Storage   string       `json:"storage"`
		Operation string       `json:"operation"`
		Undoes    int64        `json:"undoes,omitempty"`
		Changes   []changeLine `json:"changes"`
	}
	changeLine struct {
		Topic     string      `json:"topic"`
		Partition int32       `json:"partition"`
		From      *storedLine `json:"from"` // null: none
		To        *storedLine `json:"to"`
	}
	storedLine struct {
		Offset      int64   `json:"offset"`
		LeaderEpoch int32   `json:"leaderEpoch"`
		Metadata    *string `json:"metadata"`
	}
	endLine struct {
		End    int64         `json:"end"`
		Time   time.Time     `json:"time"`
		Failed []failureLine `json:"failed,omitempty"`
	}
	failureLine struct {
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Reason    string `json:"reason"`
		Never     bool   `json:"never,omitempty"`
	}
)

func (e *Entry) beginning(k key) beginLine {
	line := beginLine{Begin: e.ID, Time: e.Time, Cluster: k.cluster, Group: k.group, Storage: e.Storage.String(),
		Operation: e.Operation, Undoes: e.Undoes, Changes: []changeLine{}}
	for _, c := range e.Changes {
		line.Changes = append(line.Changes, changeLine{c.TP.Topic, c.TP.Partition, toLine(c.From), toLine(c.To)})
	}
	return line
}

func ending(id int64, failed []Failure, now time.Time) endLine {
	line := endLine{End: id, Time: now}
	for _, f := range failed {
		line.Failed = append(line.Failed, failureLine(f))
	}
	return line
}

func toLine(s offsets.Stored) *storedLine {
	if s.Offset == offsets.NoOffset {
		return nil
	}
	return &storedLine{s.Offset, s.LeaderEpoch, s.Metadata}
}

func (s *storedLine) stored() offsets.Stored {
	if s == nil {
		return offsets.None()
	}
	return offsets.Stored{Offset: s.Offset, LeaderEpoch: s.LeaderEpoch, Metadata: s.Metadata}
}

var (
	errUnknownLine = errors.New("it neither begins nor ends a change")
	errForeign     = errors.New("it is about another group or cluster")
)

// take reads one line.
func (j *Journal) take(line []byte) error {
	var both struct {
		beginLine
		End    int64         `json:"end"`
		Failed []failureLine `json:"failed"`
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return errUnknownLine
	}
	if err := json.Unmarshal(line, &both); err != nil {
		return err
	}
	switch {
	case both.Begin > 0 && (both.Cluster != j.key.cluster || both.Group != j.key.group):
		return errForeign
	case both.Begin > 0:
		storage, err := offsets.ParseStorage(both.Storage)
		if err != nil {
			return err
		}
		e := Entry{ID: both.Begin, Time: both.Time, Operation: both.Operation, Storage: storage, Undoes: both.Undoes}
		for _, c := range both.Changes {
			change := offsets.Change{From: c.From.stored(), To: c.To.stored()}
			change.TP.Topic, change.TP.Partition = c.Topic, c.Partition
			e.Changes = append(e.Changes, change)
		}
		j.entries = append(j.entries, e)
	case both.End > 0:
		var failed []Failure
		for _, f := range both.Failed {
			failed = append(failed, Failure(f))
		}
		for i := range j.entries {
			if j.entries[i].ID == both.End {
				j.entries[i].end(failed)
				return nil
			}
		}
		return fmt.Errorf("change %d ends and never began", both.End)
	default:
		return errUnknownLine
	}
	return nil
}
