package wire

import "fmt"

// checker is a Response that knows what no broker can mean by it, though it is
// well formed: whoever works with it need not ask itself.
type checker interface{ check() error }

// check implements checker: partitions are counted from 0, and each has one leader.
func (r *MetadataResponse) check() error {
	for i := range r.Topics {
		ps := r.Topics[i].Partitions
		err := once(len(ps), func(j int) int32 { return ps[j].Index })
		for j := 0; j < len(ps) && err == nil; j++ {
			err = atLeast(0, int64(ps[j].Index), j, "Index")
		}
		if err != nil {
			return ofTopic("MetadataResponse", i, under("Partitions", err))
		}
	}
	return nil
}

// check implements checker: a batch has one fate.
func (r *ProduceResponse) check() error {
	named := func(i int) string {
		if t := &r.Topics[i]; t.TopicID == (UUID{}) {
			return t.Name
		}
		return r.Topics[i].TopicID.String()
	}
	if err := once(len(r.Topics), named); err != nil {
		return under("ProduceResponse", under("Topics", err))
	}
	for i := range r.Topics {
		ps := r.Topics[i].Partitions
		if err := once(len(ps), func(j int) int32 { return ps[j].Index }); err != nil {
			return ofTopic("ProduceResponse", i, under("Partitions", err))
		}
	}
	return nil
}

// check implements checker: what is no offset is -1.
func (r *ListOffsetsResponse) check() error {
	for i := range r.Topics {
		for j := range r.Topics[i].Partitions {
			p := &r.Topics[i].Partitions[j]
			err := atLeast(-1, p.Offset, j, "Offset")
			for k := 0; k < len(p.OldStyleOffsets) && err == nil; k++ {
				err = atLeast(0, p.OldStyleOffsets[k], j, "OldStyleOffsets["+itoa(k)+"]")
			}
			if err != nil {
				return ofTopic("ListOffsetsResponse", i, under("Partitions", err))
			}
		}
	}
	return nil
}

// check implements checker: a leader that gives a member two assignments leaves
// one of them out.
func (r *JoinGroupResponse) check() error {
	if err := once(len(r.Members), func(i int) string { return r.Members[i].MemberID }); err != nil {
		return under("JoinGroupResponse", under("Members", err))
	}
	return nil
}

// once makes sure that no two of n elements have the same key.
func once[K comparable](n int, key func(i int) K) error {
	var seen map[K]int
	for i := range n {
		k := key(i)
		if n <= few {
			for j := range i {
				if key(j) == k {
					return twice(i, j, k)
				}
			}
			continue
		}
		if seen == nil {
			seen = make(map[K]int, n)
		}
		if j, ok := seen[k]; ok {
			return twice(i, j, k)
		}
		seen[k] = i
	}
	return nil
}

// ofTopic says in which topic of a message something is wrong.
func ofTopic(message string, i int, err error) error {
	return under(message, under("Topics["+itoa(i)+"]", err))
}

func atLeast(least, have int64, i int, field string) error {
	if have >= least {
		return nil
	}
	return &FieldError{"[" + itoa(i) + "]." + field, fmt.Errorf("%d, where %d is the least", have, least)}
}
