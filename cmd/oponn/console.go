package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/views/console"
)

// console is what the operators' console is about.
func (s *instance) console(p parts) *ops.Console {
	c := &ops.Console{Runtime: operated{s.runtime}, Assets: p.assets, Name: instanceName(), Version: version()}
	if roster, ok := p.bus.(oponn.Roster); ok {
		c.Roster = roster
	}
	return c
}

// instanceName tells this process from all others, to people as well.
func instanceName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "-" + strconv.Itoa(os.Getpid())
}

// operated shows the runtime to operators.
type operated struct{ system *actors.System }

// Load implements ops.Runtime.
func (o operated) Load(ctx context.Context) (ops.Load, error) {
	load, err := o.system.Load(ctx)
	return ops.Load{Committed: o.system.Committed(), Awake: load.Awake, Streams: load.Streams, Started: o.system.Started()}, err
}

// Look implements ops.Runtime.
func (o operated) Look(ctx context.Context, hottest int) console.State {
	i := o.system.Inspect(ctx, hottest)
	seen := console.State{Committed: i.Committed, Tree: tree(i),
		Self: console.Instance{Started: i.Started, Votes: i.Votes, Awake: i.Awake, Streams: i.Streams}}
	for _, b := range i.Hottest {
		seen.Hottest = append(seen.Hottest, console.Hot{Ballot: b.Ballot.String(), Votes: b.Rate, Viewers: b.Viewers,
			Batch: b.Batch, Lag: (b.Commit + b.Screen).Seconds()})
	}
	return seen
}

// inTree is how many ballots are in the tree by themselves.
const inTree = 3

// tree draws the tree of supervision.
func tree(i actors.Inspection) console.Node {
	writers := console.Node{Name: "writers", Alive: len(i.Writers)}
	for n, w := range i.Writers {
		node := probed(console.Node{Name: "writer/" + strconv.Itoa(n), Waiting: w.Queue, Rate: w.Votes, Unit: "votes/s"}, w.Probe)
		if w.Writing {
			node.Note = "writing"
		} else if w.Took > 0 {
			node.Note = fmt.Sprintf("last %d in %s", w.Last, console.Took(w.Took.Seconds()))
		}
		writers.Waiting += w.Queue
		writers.Children = append(writers.Children, node)
	}
	ballots := probed(console.Node{Name: "ballots", Alive: i.Awake, Max: i.MaxAwake, Waiting: i.Waiting, Rate: i.Votes, Unit: "votes/s"}, i.Registry)
	for _, b := range i.Hottest[:min(inTree, len(i.Hottest))] {
		id := b.Ballot.String()
		ballots.Children = append(ballots.Children, console.Node{Name: "ballot/" + id, Ballot: id, Rate: b.Rate, Unit: "votes/s",
			Children: []console.Node{{Name: "audience", Key: id, Alive: b.Viewers, Note: "viewers"}}})
	}
	if more := i.Awake - len(ballots.Children); more > 0 {
		ballots.Children = append(ballots.Children, console.Node{Name: console.Count(more) + " more", Key: "s"})
	}
	relay := probed(console.Node{Name: "relay", Waiting: i.Relay.Outbox, Note: fmt.Sprintf("follows %d", i.Relay.Followed)}, i.Relay.Probe)
	if i.Relay.Unreached {
		relay.Note += ", bus not reached"
	}
	return console.Node{Name: "oponn", Children: []console.Node{
		writers, ballots,
		probed(console.Node{Name: "streams", Alive: i.Streams, Max: i.MaxStreams, Rate: i.Frames, Unit: "frames/s"}, i.StreamsParent),
		relay,
	}}
}

func probed(n console.Node, p actors.Probe) console.Node {
	n.Delay, n.Silent = p.Delay.Seconds(), p.Silent
	return n
}

// Ballot implements ops.Runtime.
func (o operated) Ballot(ctx context.Context, ballot oponn.BallotID) console.Ballot {
	i := o.system.InspectBallot(ctx, ballot)
	seen := console.Ballot{ID: ballot.String(), State: i.State, Refusal: i.Refusal, Status: string(i.Status), Awake: i.Awake,
		Version: i.Version, Voters: i.Voters, Votes: i.Rate, Batch: i.Batch, Commit: i.Commit.Seconds(), Screen: i.Screen.Seconds(),
		Delay: i.Delay.Seconds(), Crashes: i.Crashes, Gathering: i.Gathering, Changes: i.Changes, Held: i.Held,
		InFlight: i.InFlight, Attempts: i.Attempts, Viewers: i.Viewers, Error: i.Err, ErrorAt: i.ErrAt}
	if i.Attempts > 0 {
		seen.InFlightFor = time.Since(i.InFlightSince).Seconds()
	}
	for _, g := range i.Groups {
		seen.Groups = append(seen.Groups, console.Group{Name: g.Name, Viewers: g.Viewers})
	}
	return seen
}

// Wake implements ops.Runtime.
func (o operated) Wake(ctx context.Context, ballot oponn.BallotID) error {
	return o.system.Wake(ctx, ballot)
}

// Sleep implements ops.Runtime.
func (o operated) Sleep(ctx context.Context, ballot oponn.BallotID) (bool, error) {
	return o.system.Sleep(ctx, ballot)
}
