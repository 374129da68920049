package wire

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
)

// few is up to how many elements each is compared with each.
const few = 32

// distinct makes sure that no two elements of the array v have the same key: a
// broker that is asked twice about one partition answers once, or refuses all.
func distinct(key *field, v reflect.Value) error {
	n := v.Len()
	at := func(i int) reflect.Value { return v.Index(i).Field(key.index) }
	// Sorted keys are the usual case, begun anywhere and going round at most.
	turns := 0
	for i := 1; i < n && turns < 2; i++ {
		if compare(key.kind, at(i-1), at(i)) >= 0 {
			turns++
		}
	}
	if turns == 0 || turns == 1 && compare(key.kind, at(n-1), at(0)) < 0 {
		return nil
	}
	if n <= few {
		for i := range n {
			for j := range i {
				if compare(key.kind, at(i), at(j)) == 0 {
					return twice(i, j, at(i).Interface())
				}
			}
		}
		return nil
	}
	seen := make(map[any]int, n)
	for i := range n {
		k := at(i).Interface()
		if j, ok := seen[k]; ok {
			return twice(i, j, at(i).Interface())
		}
		seen[k] = i
	}
	return nil
}

func twice(i, j int, key any) error {
	return &FieldError{"[" + itoa(i) + "]", fmt.Errorf("%v is already in [%d]", key, j)}
}

func compare(k kind, a, b reflect.Value) int {
	switch k {
	case kindString:
		return cmp.Compare(a.String(), b.String())
	case kindUUID:
		return bytes.Compare(a.Bytes(), b.Bytes())
	}
	return cmp.Compare(a.Int(), b.Int())
}
