//go:build !linux

package sink

// renameNew renames a file, and never over another.
func renameNew(from, to string) error { return linkNew(from, to) }
