package actors

import "time"

// turns says when those who are turned away shall come back: one after the
// other, at a quarter of the rate at which others are served. Were all told the
// same, then where more come than can be served those who come again would be
// more and more, until refusing is all that the processors do.
type turns struct {
	next time.Time // the turn that was given last

	// The rate is that of the last sample, in requests a second.
	rate   float64
	known  bool
	since  time.Time // when the next sample began
	served uint64    // before it
}

// Waits are whole seconds, as Retry-After is. The longest is one that people
// bear: answers spread them by chance to twice as long.
const (
	leastWait = time.Second
	mostWait  = 3 * time.Second
)

// A sample lasts this long at least; of one that lasted much longer, nobody was
// turned away for a while, and the rate is nobody's guess.
const (
	leastSample = 200 * time.Millisecond
	mostSample  = 2 * time.Second
)

// leastRate is the rate of turns where hardly anybody is served.
const leastRate = 100

// turn returns how long whoever is turned away from the line shall wait; where
// there is no line, that is as short as can be. The lock is held.
func (l *line) turn(now time.Time) time.Duration {
	if l == nil {
		return leastWait
	}
	t := &l.turns
	switch d := now.Sub(t.since); {
	case d > mostSample:
		t.since, t.served, t.known = now, l.served, false
	case d >= leastSample:
		t.rate, t.known = float64(l.served-t.served)/d.Seconds(), true
		t.since, t.served = now, l.served
	}
	if !t.known {
		return leastWait
	}
	if soonest := now.Add(leastWait); t.next.Before(soonest) {
		t.next = soonest
	}
	t.next = t.next.Add(time.Duration(float64(time.Second) / max(t.rate/4, leastRate)))
	if latest := now.Add(mostWait); t.next.After(latest) {
		t.next = latest
	}
	return max(t.next.Sub(now).Round(time.Second), leastWait)
}
