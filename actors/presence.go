package actors

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// How many people watch a ballot on all instances is asked for by whoever wants
// to show it, and by nobody else: an instance calls the roll, at most once in
// rollEvery for a ballot; those with viewers of it answer, and what they said
// counts for rollLasts. So a number is some seconds old, and ballots that
// nobody shows on a screen cost nothing.
const (
	rollEvery = 3 * time.Second
	rollLasts = 10 * time.Second
	// maxRolls bounds the ballots whose roll is kept, maxAnswers the instances.
	maxRolls   = 1000
	maxAnswers = 256
)

// presence counts viewers. It is safe for concurrent use.
type presence struct {
	instance uint64
	call     func(oponn.Notice) // publishes; it must not block

	mu       sync.Mutex
	here     map[oponn.BallotID]int
	rolls    map[oponn.BallotID]*roll
	answered map[oponn.BallotID]time.Time // that have viewers here
}

// roll is what other instances said of a ballot.
type roll struct {
	called  time.Time
	answers map[uint64]answer
}

type answer struct {
	watching int
	at       time.Time
}

func newPresence(call func(oponn.Notice)) *presence {
	return &presence{instance: rand.Uint64(), call: call, here: make(map[oponn.BallotID]int), //nolint:gosec // a name, no secret
		rolls: make(map[oponn.BallotID]*roll), answered: make(map[oponn.BallotID]time.Time)}
}

// come and leave count the viewers of a ballot on this instance.
func (p *presence) come(ballot oponn.BallotID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.here[ballot]++
}

func (p *presence) leave(ballot oponn.BallotID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.here[ballot]--; p.here[ballot] <= 0 {
		delete(p.here, ballot)
		delete(p.answered, ballot)
	}
}

// watching returns how many watch a ballot, as far as is known, and calls the
// roll when that was long ago.
func (p *presence) watching(ballot oponn.BallotID, now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rolls[ballot]
	if r == nil {
		p.forget(now)
		if len(p.rolls) >= maxRolls {
			return p.here[ballot]
		}
		r = &roll{answers: make(map[uint64]answer)}
		p.rolls[ballot] = r
	}
	if now.Sub(r.called) >= rollEvery {
		r.called = now
		p.call(oponn.Notice{Ballot: ballot, Roll: &oponn.Roll{Instance: p.instance, Watching: p.here[ballot], Asks: true}})
	}
	sum := p.here[ballot]
	for _, a := range r.answers {
		if now.Sub(a.at) < rollLasts {
			sum += a.watching
		}
	}
	return sum
}

// forget drops rolls that nobody asks for any more.
func (p *presence) forget(now time.Time) {
	for ballot, r := range p.rolls {
		if now.Sub(r.called) >= rollLasts {
			delete(p.rolls, ballot)
		}
	}
}

// hear takes the word of an instance, and answers when it asks.
func (p *presence) hear(ballot oponn.BallotID, word oponn.Roll, now time.Time) {
	if word.Instance == p.instance {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.rolls[ballot]; r != nil {
		if _, known := r.answers[word.Instance]; !known && len(r.answers) >= maxAnswers {
			clear(r.answers) // instances that come and go; the next roll tells who is there
		}
		r.answers[word.Instance] = answer{watching: word.Watching, at: now}
	}
	if here := p.here[ballot]; word.Asks && here > 0 && now.Sub(p.answered[ballot]) >= rollEvery/4 {
		p.answered[ballot] = now
		p.call(oponn.Notice{Ballot: ballot, Roll: &oponn.Roll{Instance: p.instance, Watching: here}})
	}
}
