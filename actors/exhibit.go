package actors

import (
	"math"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// pulseSpan is over how long a rate is taken: older events count for less and
// less.
const pulseSpan = 5 * time.Second

// pulse is a rate of events per second that decays by itself: it costs whoever
// counts a few nanoseconds, and nobody has to come round to keep it. The zero
// pulse is ready. It has no lock of its own.
type pulse struct {
	rate float64 // at that moment
	at   time.Time
}

func (p *pulse) add(n int, now time.Time) {
	p.rate = p.now(now) + float64(n)/pulseSpan.Seconds()
	p.at = now
}

func (p *pulse) now(now time.Time) float64 {
	if p.rate == 0 {
		return 0
	}
	return p.rate * math.Exp(-max(now.Sub(p.at), 0).Seconds()/pulseSpan.Seconds())
}

// exhibit is what a ballot in memory has to show operators. The ballot and its
// audience write it, once for a batch and once for a frame, so that whoever
// looks at thousands of ballots disturbs none of them.
type exhibit struct {
	ballot oponn.BallotID
	awake  time.Time

	mu      sync.Mutex
	pulse   pulse
	batch   int           // votes in the last batch
	commit  time.Duration // from handing it to the writer to its answer
	screen  time.Duration // from a new state to the last viewer here
	viewers int
	err     string
	errAt   time.Time
}

func (v *exhibit) committed(votes int, took time.Duration, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pulse.add(votes, now)
	v.batch, v.commit = votes, took
}

func (v *exhibit) failed(err error, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err, v.errAt = err.Error(), now
}

func (v *exhibit) crowd(viewers int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.viewers = viewers; viewers == 0 {
		v.screen = 0
	}
}

func (v *exhibit) shown(took time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.screen = took
}

// read returns it as plain values.
func (v *exhibit) read(now time.Time) BallotVitals {
	v.mu.Lock()
	defer v.mu.Unlock()
	return BallotVitals{Ballot: v.ballot, Awake: v.awake, Rate: v.pulse.now(now), Batch: v.batch,
		Commit: v.commit, Screen: v.screen, Viewers: v.viewers, Err: v.err, ErrAt: v.errAt}
}

// ledger counts what one kind of actor did, over its crashes. It is read by
// whoever looks and so has a lock.
type ledger struct {
	mu    sync.Mutex
	pulse pulse
}

func (l *ledger) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pulse.add(n, time.Now())
}

func (l *ledger) rate(now time.Time) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pulse.now(now)
}
