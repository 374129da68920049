package consume

import (
	"testing"
	"time"
	"unsafe"
)

// jumped is t as a clock tells it that somebody has set by d since the process
// began: what a person reads is another time, what has gone by is the same.
func jumped(t *testing.T, now time.Time, d time.Duration) time.Time {
	t.Helper()
	// The first word of a Time with a monotonic reading: a bit that says so, 33 bits
	// of seconds since 1885, 30 bits of nanoseconds.
	word := (*uint64)(unsafe.Pointer(&now))
	was := now.Unix()
	*word += uint64(int64(d/time.Second)) << 30
	if now.Unix() != was+int64(d/time.Second) {
		t.Fatal("a Time is no longer made as this test believes")
	}
	return now
}

func TestAClockThatIsSetDoesNotEndOrStretchTheWaitForRecords(t *testing.T) {
	for _, d := range []time.Duration{48 * time.Hour, -48 * time.Hour} {
		s := &Session{born: time.Now()}
		s.o.Idle = time.Hour
		s.ready.Store(true)
		s.noteLast(jumped(t, time.Now(), d))
		if again := s.idleCheck(jumped(t, time.Now(), 2*d)); s.router.idle || again <= 59*time.Minute || again > time.Hour {
			t.Errorf("set by %v: idle %v, looks again in %v", d, s.router.idle, again)
		}
	}
}
