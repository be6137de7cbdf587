package actors

import (
	"sync"

	"github.com/oponn/oponn"
)

// admission bounds what waits before the mailboxes, which have no bound of
// their own: in all and for each ballot. A request is let in before it is
// sent, and let go when it is answered.
type admission struct {
	most, mostPerBallot int

	mu       sync.Mutex
	total    int
	ballots  map[oponn.BallotID]int
	draining bool
	empty    chan struct{} // closed when draining and nothing waits
}

// admitted is the right to wait; release gives it back.
type admitted struct {
	from   *admission
	ballot oponn.BallotID
}

func newAdmission(most, mostPerBallot int) *admission {
	return &admission{most: most, mostPerBallot: mostPerBallot,
		ballots: make(map[oponn.BallotID]int), empty: make(chan struct{})}
}

func (a *admission) enter(ballot oponn.BallotID) (admitted, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.draining:
		return admitted{}, errDraining()
	case a.total >= a.most, a.ballots[ballot] >= a.mostPerBallot:
		return admitted{}, errBusy("Too many are voting at this moment. Please try again in a second.")
	}
	a.total++
	a.ballots[ballot]++
	return admitted{from: a, ballot: ballot}, nil
}

func (t admitted) release() {
	a := t.from
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total--
	if a.ballots[t.ballot]--; a.ballots[t.ballot] == 0 {
		delete(a.ballots, t.ballot)
	}
	a.announceEmpty()
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
