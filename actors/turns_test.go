package actors

import (
	"testing"
	"time"
)

// TestTurns turns people away at even times, while others are served.
func TestTurns(t *testing.T) {
	const perSecond = 1000
	for name, c := range map[string]struct {
		served      uint64 // a second
		least, most time.Duration
		after       time.Duration
	}{
		"at first":                       {4000, time.Second, time.Second, leastSample / 2},
		"fewer than come back":           {8000, time.Second, time.Second, 10 * time.Second},
		"as many as come back":           {4000, time.Second, time.Second, 10 * time.Second},
		"more than can come back, early": {2000, 2 * time.Second, mostWait, 2 * time.Second},
		"more than can come back":        {2000, mostWait, mostWait, 30 * time.Second},
		"while nobody is served":         {0, mostWait, mostWait, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			l, now := &line{}, time.Now()
			var last time.Duration
			for n := uint64(0); time.Duration(n)*time.Second/perSecond < c.after; n++ {
				l.served = n * c.served / perSecond
				wait := l.turn(now.Add(time.Duration(n) * time.Second / perSecond))
				if wait < last || wait%time.Second != 0 {
					t.Fatalf("%v after %v", wait, last)
				}
				last = wait
			}
			if last < c.least || last > c.most {
				t.Errorf("told to wait for %v, want %v to %v", last, c.least, c.most)
			}
			// Later it is as if nothing had been.
			if wait := l.turn(now.Add(c.after + time.Hour)); wait != leastWait {
				t.Errorf("told to wait for %v in the end", wait)
			}
		})
	}
	if wait := (*line)(nil).turn(time.Now()); wait != leastWait {
		t.Errorf("without a line %v", wait)
	}
}

// TestTurns_Spread: in no second are more told to come back than their share.
func TestTurns_Spread(t *testing.T) {
	const served, away = 8000, 3000
	l, now := &line{}, time.Now()
	back := make(map[time.Duration]int)
	for n := range 2 * away {
		at := time.Duration(n) * time.Second / away
		l.served = uint64(at.Seconds() * served)
		if wait := l.turn(now.Add(at)); at > leastSample {
			back[(at+wait).Truncate(time.Second)]++
		}
	}
	for second, n := range back {
		if n > served/2 {
			t.Errorf("%d are told to come back in second %v", n, second)
		}
	}
}
