// Package console draws the operators' console: templ components over plain
// data, which is also what `oponn top` reads as JSON. It is in English only.
// Ballots appear by their ids, never by their texts.
package console

import (
	"encoding/json"
	"math"
	"time"
)

// State is all that the console shows of a process at a moment. Times of the
// kind "how long" are in seconds.
type State struct {
	At time.Time `json:"at"`
	// Self is this instance.
	Self Instance `json:"self"`
	// Parts are what votes depend on.
	Parts     []Part `json:"parts"`
	Committed uint64 `json:"committed"` // votes, since the start
	Tree      Node   `json:"tree"`
	// Hottest are the ballots that most is happening on.
	Hottest []Hot   `json:"hottest"`
	Charts  []Chart `json:"charts"`
	// Kinds are the actors' mailboxes by kind.
	Kinds []Kind `json:"kinds,omitempty"`
	// Instances are all that are known of, this one among them.
	Instances []Instance `json:"instances"`
	// Alone says that instances don't know of each other: there is no Redis, or
	// it is away.
	Alone bool `json:"alone,omitempty"`
}

// Instance is one process of the service.
type Instance struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Status  string    `json:"status"` // ready, degraded, unready or draining
	Started time.Time `json:"started"`
	Votes   float64   `json:"votes"` // per second
	Awake   int       `json:"awake"` // ballots in memory
	Streams int       `json:"streams"`
	Heard   time.Time `json:"heard"` // when it last said so
	Self    bool      `json:"self,omitempty"`
}

// Part is how something does that votes depend on.
type Part struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	// Since is when it began to fail.
	Since time.Time `json:"since,omitzero"`
}

// Node is an actor, or several of a kind, in the tree of supervision.
type Node struct {
	Name string `json:"name"`
	// Ballot is the id of the ballot that it is.
	Ballot string `json:"ballot,omitempty"`
	// Key tells it from others of the same name.
	Key string `json:"key,omitempty"`
	// Alive is how many there are, of Max at most; zeros where it is one.
	Alive int `json:"alive,omitempty"`
	Max   int `json:"max,omitempty"`
	// Waiting is what waits for it.
	Waiting int `json:"waiting,omitempty"`
	// Rate is what it does, per second, of Unit.
	Rate float64 `json:"rate,omitempty"`
	Unit string  `json:"unit,omitempty"`
	// Delay is how long its messages wait, in seconds; Silent says that it gave
	// no answer.
	Delay    float64 `json:"delay,omitempty"`
	Silent   bool    `json:"silent,omitempty"`
	Note     string  `json:"note,omitempty"`
	Children []Node  `json:"children,omitempty"`
}

// Kind is all actors that do the same.
type Kind struct {
	Name     string  `json:"name"`
	Alive    int     `json:"alive"`
	Waiting  int     `json:"waiting"`  // messages in their mailboxes
	Messages float64 `json:"messages"` // per second
	// Waited is how long 99 of 100 messages waited at most, in seconds.
	Waited float64 `json:"waited"`
}

// Hot is a ballot on which something is happening.
type Hot struct {
	Ballot  string  `json:"ballot"`
	Votes   float64 `json:"votes"` // per second
	Viewers int     `json:"viewers"`
	Batch   int     `json:"batch"` // votes in the last one
	// Lag is how long the last batch took to be committed and then shown to the
	// last viewer here, in seconds.
	Lag float64 `json:"lag"`
}

// Chart is how something went in the last minutes.
type Chart struct {
	Name string `json:"name"`
	// Unit is "s" for times, or empty for counts.
	Unit string `json:"unit,omitempty"`
	// Every is the time between two points, in seconds; the last one is now.
	Every float64 `json:"every"`
	Lines []Line  `json:"lines"`
}

// Line is one of a chart's; the first is the one that counts.
type Line struct {
	Name   string `json:"name,omitempty"`
	Points Points `json:"points"`
}

// Points are values over time; NaN where there was nothing to measure, which
// JSON has as null.
type Points []float64

// MarshalJSON implements json.Marshaler.
func (p Points) MarshalJSON() ([]byte, error) {
	values := make([]*float64, len(p))
	for i := range p {
		if !math.IsNaN(p[i]) && !math.IsInf(p[i], 0) {
			values[i] = &p[i]
		}
	}
	return json.Marshal(values)
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Points) UnmarshalJSON(b []byte) error {
	var values []*float64
	if err := json.Unmarshal(b, &values); err != nil {
		return err
	}
	*p = make(Points, len(values))
	for i, v := range values {
		(*p)[i] = math.NaN()
		if v != nil {
			(*p)[i] = *v
		}
	}
	return nil
}

// Last returns the newest value, NaN for none.
func (p Points) Last() float64 {
	if len(p) == 0 {
		return math.NaN()
	}
	return p[len(p)-1]
}

// Max returns the largest value, and 0 for none.
func (p Points) Max() (most float64) {
	for _, v := range p {
		if v > most { // not so for NaN
			most = v
		}
	}
	return most
}

// Ballot is one ballot's actor at a moment. It has no text of the ballot's.
type Ballot struct {
	ID string `json:"id"`
	// State is asleep, loading, awake, refusing or silent.
	State   string    `json:"state"`
	Refusal string    `json:"refusal,omitempty"`
	Status  string    `json:"status,omitempty"`
	Awake   time.Time `json:"awake,omitzero"` // since when
	Version uint64    `json:"version"`
	Voters  uint64    `json:"voters"`
	Votes   float64   `json:"votes"` // per second
	Batch   int       `json:"batch"` // votes in the last one
	Commit  float64   `json:"commit"`
	Screen  float64   `json:"screen"` // until the last viewer here had it
	Delay   float64   `json:"delay"`  // of its messages
	Crashes int       `json:"crashes"`
	// Gathering votes wait for the next batch, Changes for one each, and Held
	// requests for the store's answer.
	Gathering int `json:"gathering"`
	Changes   int `json:"changes"`
	Held      int `json:"held"`
	// InFlight is how many votes the writer has, for how long, in how many
	// attempts.
	InFlight    int     `json:"in_flight"`
	InFlightFor float64 `json:"in_flight_for"`
	Attempts    int     `json:"attempts"`
	Viewers     int     `json:"viewers"`
	Groups      []Group `json:"groups,omitempty"`
	// Error is the last one of the store or the keyring.
	Error   string    `json:"error,omitempty"`
	ErrorAt time.Time `json:"error_at,omitzero"`
}

// Group is viewers who see the same bytes.
type Group struct {
	Name    string `json:"name"`
	Viewers int    `json:"viewers"`
}
