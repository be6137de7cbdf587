// Package voters casts the votes of a load test: in a closed loop, where each
// connection sends the next vote when the one before is answered, or in an open
// loop, where votes are due at fixed times whether or not the server keeps up.
// In an open loop a vote's latency counts from when it was due, so that a
// server that stalls can't hide the votes that would have come meanwhile
// (coordinated omission).
package voters

import (
	"context"
	"errors"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// Ballot is a ballot to vote on.
type Ballot struct {
	ID      string
	Options []string // their ids
}

// Tokens hands out voter tokens, each of which votes once. It is safe for
// concurrent use.
type Tokens interface {
	// Token waits for one.
	Token(ctx context.Context) (string, error)
	// Try returns one that is there. It never waits.
	Try() (token string, ok bool)
}

// Config is what voters do.
type Config struct {
	Ballots []Ballot
	// HotShare of the votes goes to the first ballot, the rest to all alike.
	HotShare float64
	// Connections is how many there are; Dial makes each.
	Connections int
	Dial        func(i int) (wire.Conn, error)
	// Rate is how many votes a second are due; zero for a closed loop.
	Rate float64
	// Ramp is how long the load takes to grow to its full size.
	Ramp time.Duration
	// Duration and Votes end the run, whichever comes first; zero votes for
	// no bound.
	Duration time.Duration
	Votes    int64
	// Form votes like a browser: it gets the page, with cookie and vote id,
	// and posts the form.
	Form bool
	// Tokens is for votes by the API.
	Tokens Tokens
	// Repeats is the share of acknowledged votes that is sent once more.
	Repeats float64
	// Tries is how often a vote is sent at most, within Deadline.
	Tries    int
	Deadline time.Duration
	// Seed makes choices reproducible; zero for chance.
	Seed uint64
	// Wait waits until a time on the clock of package monotonic; nil for the
	// most exact way there is. With nil, and Now of that clock, an open loop
	// may be one goroutine.
	Wait Waiter
	Now  func() int64
}

// Waiter waits for a time on the machine's monotonic clock. It may return
// early. It is used by one goroutine.
type Waiter interface {
	Until(at int64)
	Close()
}

// Load is voters at work.
type Load struct {
	config Config
	begin  int64
	end    int64
	notes  *notes
	claims claims
	queue  *queue // in an open loop
}

// Start prepares voters. Run lets them begin.
func Start(c Config) (*Load, error) {
	if len(c.Ballots) == 0 || c.Connections < 1 || c.Duration <= 0 || c.Tries < 1 {
		return nil, errors.New("voters: no ballots, no connections, no duration, or no tries")
	}
	l := &Load{config: c, notes: newNotes(&c), claims: claims{most: c.Votes}}
	return l, nil
}

// Progress is how far the voters are.
type Progress struct{ Acknowledged, Refused int64 }

// Progress may be asked from any goroutine.
func (l *Load) Progress() Progress { return l.notes.progress() }

// Run casts votes until the time or the number is reached and every vote has
// come to an end. When the context ends, votes under way are left unknown.
func (l *Load) Run(ctx context.Context) (*Result, error) {
	c := &l.config
	conns := make([]wire.Conn, 0, c.Connections)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for i := range c.Connections {
		conn, err := c.Dial(i)
		if err != nil {
			return nil, err
		}
		conns = append(conns, conn)
	}
	if c.Rate > 0 {
		l.open(ctx, conns)
	} else {
		l.closed(ctx, conns)
	}
	return l.notes.finish(l.end), nil
}

// start is where the time of the run begins.
func (l *Load) start() {
	l.begin = l.config.Now()
	l.end = l.begin + int64(l.config.Duration)
	l.notes.start(l.begin)
}
