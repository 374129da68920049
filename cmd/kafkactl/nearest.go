package main

import "strings"

// nearest gives the name most like the one given, "" when none is like it at
// all: more than a third of the letters would have to change.
func nearest(name string, have []string) string {
	name = strings.ToLower(name)
	best, bound := "", len(name)/3+1
	for _, h := range have {
		if d := distance(name, strings.ToLower(h), bound); d < bound {
			best, bound = h, d
		}
	}
	if best != "" {
		return best
	}
	// A beginning cut short, or one written out: orders for orders-v2.
	for _, h := range have {
		low := strings.ToLower(h)
		if len(name) >= 3 && (strings.HasPrefix(low, name) || len(low) >= 3 && strings.HasPrefix(name, low)) {
			return h
		}
	}
	return ""
}

// distance counts the letters to insert, drop, replace or swap with their
// neighbour to turn a into b; it stops counting at bound.
func distance(a, b string, bound int) int {
	if len(a)-len(b) >= bound || len(b)-len(a) >= bound {
		return bound
	}
	before := make([]int, len(b)+1) // the row before last, for swaps
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], bound)
}
