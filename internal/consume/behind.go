package consume

// Behind is how many offsets lie between what was delivered and the ends of the
// logs, as their leaders last said, or the ends of the ranges where those come
// first. known is false while a leader that is followed has yet to be heard, and
// where nothing is read. Holes and transaction markers count, as they do in a group's lag.
func (s *Session) Behind() (n int64, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known = len(s.held) > 0
	for _, p := range s.held {
		end := p.end.Load()
		if s.follows(p) {
			if !p.heard.Load() {
				known = false
				continue
			}
			end = min(end, p.high.Load())
		}
		n += max(0, end-p.told.Load())
	}
	return n, known
}
