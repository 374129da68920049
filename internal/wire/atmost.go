package wire

// AtMost is a Request that must not be sent in a later version than Max: some
// versions are for clusters with a certain feature alone, whatever brokers speak.
type AtMost struct {
	Request
	Max int16
}

// Cap implements Capper.
func (r AtMost) Cap() int16 {
	if own, ok := r.Request.(Capper); ok {
		return min(own.Cap(), r.Max)
	}
	return r.Max
}

// At implements Adapter.
func (r AtMost) At(version int16) (Request, error) {
	if own, ok := r.Request.(Adapter); ok {
		return own.At(version)
	}
	return r.Request, nil
}
