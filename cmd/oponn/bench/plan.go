// Package bench is the load tester: it has voters vote and viewers watch,
// measures what they see, and holds it against the final results. The command
// `oponn bench` is a thin layer above it; Go benchmarks can drive it too.
package bench

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Plan is a load test. Its zero value tests nothing: at least Targets, and
// Connections or Viewers, have to be set.
type Plan struct {
	// Targets are URLs of scheme and host; load is spread over them.
	Targets []string `json:"targets"`
	// OwnThis allows targets that are not on this machine.
	OwnThis bool `json:"own_this,omitempty"`
	// Insecure accepts every certificate.
	Insecure bool `json:"insecure,omitempty"`

	// Ballots is how many the test opens, each with Options; 0 for one. IDs
	// names ballots that are there already, instead.
	Ballots int      `json:"ballots"`
	Options int      `json:"options"`
	IDs     []string `json:"ids,omitempty"`
	// HotShare is the share of votes on the first ballot; 0 for all alike.
	HotShare float64 `json:"hot_share,omitempty"`

	// Connections is how many voters there are at once; 0 for none. With Rate
	// (votes a second) they share an open loop.
	Connections int           `json:"connections"`
	Rate        float64       `json:"rate,omitempty"`
	Ramp        time.Duration `json:"ramp_ns,omitempty"`
	Duration    time.Duration `json:"duration_ns"`
	Votes       int64         `json:"votes,omitempty"`
	Form        bool          `json:"form,omitempty"`
	Repeats     float64       `json:"repeats,omitempty"`
	// Tries is how often a vote is sent at most, within Deadline from when it
	// was due. Patience bounds one exchange.
	Tries    int           `json:"tries"`
	Deadline time.Duration `json:"deadline_ns"`
	Patience time.Duration `json:"patience_ns"`

	// Viewers is how many streams there are, of the API or, with Pages, of
	// pages. They join within Join: before the votes begin, or with them.
	Viewers         int           `json:"viewers"`
	Pages           bool          `json:"pages,omitempty"`
	Join            time.Duration `json:"join_ns,omitempty"`
	JoinWhileVoting bool          `json:"join_while_voting,omitempty"`
	// Rest is how long they only watch before votes begin: memory is measured
	// at its end.
	Rest time.Duration `json:"rest_ns,omitempty"`
	// Processes is how many the viewers are spread over; 0 for as few as will
	// do. Worker is the command that they run, which has to call
	// viewers.Work; without it all viewers are in this process.
	Processes int      `json:"processes,omitempty"`
	Worker    []string `json:"-"`
	// Settle is how long viewers may take to get the final version, and to join.
	Settle time.Duration `json:"settle_ns"`

	// PIDs are processes of the server, whose use is told with that of their
	// children.
	PIDs []int `json:"pids,omitempty"`
	// Version is that of the tester, for the report.
	Version string `json:"-"`
	// Progress is called now and then, if it is set, never twice at once.
	Progress func(Progress) `json:"-"`
}

// Progress is how far a test is.
type Progress struct {
	Phase string // "prepare", "join", "vote", "settle"
	// Done of Total: seconds, votes or viewers, by the phase.
	Done, Total int64
	// Acknowledged and Refused count votes, Watching and Frames are of viewers.
	Acknowledged, Refused, Frames int64
	Watching                      int
}

// Bounds of a plan.
const (
	MaxConnections = 10_000
	MaxViewers     = 200_000
	MaxBallots     = 10_000
	MaxDuration    = time.Hour
	MaxRate        = 1_000_000
	MaxVotes       = 100_000_000
	MaxProcesses   = 64
)

// withDefaults returns the plan with what it leaves open.
func (p Plan) withDefaults() Plan {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&p.Duration, 10*time.Second)
	set(&p.Deadline, 10*time.Second)
	set(&p.Patience, 10*time.Second)
	set(&p.Settle, 5*time.Second)
	if p.Ballots == 0 {
		p.Ballots = 1
	}
	if len(p.IDs) > 0 {
		p.Ballots = len(p.IDs)
	}
	if p.Options == 0 {
		p.Options = 4
	}
	if p.Tries == 0 {
		p.Tries = 5
	}
	return p
}

// check says what is wrong with the plan.
func (p *Plan) check() error {
	between := func(name string, n, least, most float64) error {
		if n < least || n > most {
			return fmt.Errorf("%s is %v; it has to be between %v and %v", name, n, least, most)
		}
		return nil
	}
	for _, err := range []error{
		between("connections", float64(p.Connections), 0, MaxConnections),
		between("viewers", float64(p.Viewers), 0, MaxViewers),
		between("ballots", float64(p.Ballots), 1, MaxBallots),
		between("options", float64(p.Options), 2, 50),
		between("rate", p.Rate, 0, MaxRate),
		between("votes", float64(p.Votes), 0, MaxVotes),
		between("repeats", p.Repeats, 0, 1),
		between("hot share", p.HotShare, 0, 1),
		between("tries", float64(p.Tries), 1, 100),
		between("processes", float64(p.Processes), 0, MaxProcesses),
		between("duration in seconds", p.Duration.Seconds(), 0.001, MaxDuration.Seconds()),
		between("ramp in seconds", p.Ramp.Seconds(), 0, p.Duration.Seconds()),
		between("join in seconds", p.Join.Seconds(), 0, MaxDuration.Seconds()),
		between("rest in seconds", p.Rest.Seconds(), 0, MaxDuration.Seconds()),
		between("settle in seconds", p.Settle.Seconds(), 0, 600),
		between("deadline in seconds", p.Deadline.Seconds(), 0.001, 600),
		between("patience in seconds", p.Patience.Seconds(), 0.001, 600),
	} {
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	if p.Connections == 0 && p.Viewers == 0 {
		return fmt.Errorf("bench: no connections and no viewers: there is nothing to do")
	}
	return nil
}

// parseTargets reads the targets' URLs.
func parseTargets(targets []string) ([]*url.URL, error) {
	if len(targets) == 0 {
		return nil, fmt.Errorf("bench: no target")
	}
	var urls []*url.URL
	for _, target := range targets {
		u, err := url.Parse(strings.TrimSuffix(target, "/"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
			return nil, fmt.Errorf("bench: %q is no target: it has to be scheme and host, like http://127.0.0.1:8080", target)
		}
		urls = append(urls, u)
	}
	return urls, nil
}
