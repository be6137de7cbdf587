package actors

import (
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// admission bounds what waits before the mailboxes, which have no bound of
// their own: in all and for each ballot. A request is let in before it is
// sent, and let go when it is answered.
//
// It also knows which ballots are awake, so that a request to one of them need
// not go through the registry. Before a ballot is put to sleep it is shut
// here; whoever had been told its address before that is counted, and the
// ballot stays until they have been answered.
type admission struct {
	most, mostPerBallot int
	shed                map[string]oponn.Counter

	mu       sync.Mutex
	total    int
	lines    map[oponn.BallotID]*line
	draining bool
	empty    chan struct{} // closed when draining and nothing waits
}

// line is what waits for one ballot.
type line struct {
	waiting int
	direct  int     // of these, sent to the ballot itself
	awake   *vitals // its mailbox; nil: only the registry may send to it
	served  uint64  // requests that had their answer
	turns   turns
}

// admitted is the right to wait; release gives it back.
type admitted struct {
	from   *admission
	ballot oponn.BallotID
	line   *line
	// to is the ballot's own mailbox, when it is awake.
	to *vitals
}

func newAdmission(most, mostPerBallot int, shed map[string]oponn.Counter) *admission {
	return &admission{most: most, mostPerBallot: mostPerBallot, shed: shed,
		lines: make(map[oponn.BallotID]*line), empty: make(chan struct{})}
}

// enter lets a request in. Only what has to be written, such as a vote, is
// held to the ballot's limit: a reader is answered from memory.
func (a *admission) enter(ballot oponn.BallotID, writes bool) (admitted, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lines[ballot]
	switch {
	case a.draining:
		return admitted{}, errDraining()
	case a.total >= a.most, l != nil && writes && l.waiting >= a.mostPerBallot:
		if a.total >= a.most {
			a.shed[limitInFlight].Add(1)
		} else {
			a.shed[limitPerBallot].Add(1)
		}
		return admitted{}, errTurnedAway(l.turn(time.Now()))
	case l == nil:
		l = &line{}
		a.lines[ballot] = l
	}
	a.total++
	l.waiting++
	if l.awake != nil {
		l.direct++
	}
	return admitted{from: a, ballot: ballot, line: l, to: l.awake}, nil
}

func (t admitted) release() {
	a := t.from
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total--
	t.line.waiting--
	t.line.served++
	if t.to != nil {
		t.line.direct--
	}
	a.tidy(t.ballot, t.line)
	a.announceEmpty()
}

// open says that a ballot is awake, shut that it may be about to sleep.
func (a *admission) open(ballot oponn.BallotID, awake *vitals) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lines[ballot]
	if l == nil {
		l = &line{}
		a.lines[ballot] = l
	}
	l.awake = awake
}

func (a *admission) shut(ballot oponn.BallotID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l := a.lines[ballot]; l != nil {
		l.awake = nil
		a.tidy(ballot, l)
	}
}

// direct returns how many requests were, or are about to be, sent to the
// ballot itself and have no answer yet. After shut it only falls.
func (a *admission) direct(ballot oponn.BallotID) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l := a.lines[ballot]; l != nil {
		return l.direct
	}
	return 0
}

// load returns how many requests wait in all, and whether none is let in.
func (a *admission) load() (waiting int, draining bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total, a.draining
}

func (a *admission) tidy(ballot oponn.BallotID, l *line) {
	if l.waiting == 0 && l.awake == nil {
		delete(a.lines, ballot)
	}
}

// drain refuses all that comes from now on and returns a channel that is
// closed when nothing waits any more.
func (a *admission) drain() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.draining {
		a.draining = true
		a.announceEmpty()
	}
	return a.empty
}

func (a *admission) announceEmpty() {
	if a.draining && a.total == 0 {
		close(a.empty)
	}
}

// waiting returns how many requests wait, and fullest how many for the ballot
// that most wait for.
func (a *admission) waiting() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return float64(a.total)
}

func (a *admission) fullest() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	most := 0
	for _, l := range a.lines {
		most = max(most, l.waiting)
	}
	return float64(most)
}
