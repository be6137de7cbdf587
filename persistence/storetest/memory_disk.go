package storetest

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/oponn/oponn"
)

// disk is the data that the instances of one simulated database share.
type disk struct {
	// writing holds one token: the right to be the one transaction that
	// writes. A channel and not a mutex, because it is held while Apply runs
	// and waiting for it must be visible to synctest and end with a context.
	writing chan struct{}

	mu      sync.RWMutex // guards what follows, held for moments only
	ballots map[oponn.BallotID]*kept
	gone    map[oponn.BallotID]time.Time
	joins   map[oponn.JoinCode]*joining
}

// kept is a ballot on the disk.
type kept struct {
	record oponn.Record
	at     time.Time          // of the last change
	log    []oponn.LoggedVote // by position
	voters map[oponn.VoterTag][]int
	codes  map[oponn.VoterTag]bool
}

func newDisk() *disk {
	return &disk{writing: make(chan struct{}, 1),
		ballots: make(map[oponn.BallotID]*kept), gone: make(map[oponn.BallotID]time.Time),
		joins: make(map[oponn.JoinCode]*joining)}
}

// find returns a ballot, or CodeNotFound or CodeGone. The caller holds mu.
func (d *disk) find(ballot oponn.BallotID) (*kept, error) {
	if _, ok := d.gone[ballot]; ok {
		return nil, oponn.Errorf(oponn.CodeGone, "This ballot was deleted.")
	}
	if k := d.ballots[ballot]; k != nil {
		return k, nil
	}
	return nil, oponn.Errorf(oponn.CodeNotFound, "There is no such ballot.")
}

// votes returns copies of what a voter has in the log.
func (k *kept) votes(tag oponn.VoterTag) []oponn.LoggedVote {
	var votes []oponn.LoggedVote
	for _, i := range k.voters[tag] {
		votes = append(votes, copyVote(k.log[i]))
	}
	return votes
}

// ground reads what a batch needs.
func (d *disk) ground(batch oponn.Batch) (oponn.Ground, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	k, err := d.find(batch.Ballot)
	if err != nil {
		return oponn.Ground{}, err
	}
	g := oponn.Ground{Head: copyHead(k.record.Head), Now: now(), Earlier: make([][]oponn.LoggedVote, len(batch.Votes))}
	if g.Now.Before(k.at) {
		g.Now = k.at
	}
	for i, vote := range batch.Votes {
		g.Earlier[i] = k.votes(vote.Tag)
		if batch.Codes {
			g.Codes = append(g.Codes, k.codes[vote.Tag])
		}
	}
	for _, w := range k.record.WriteIns {
		if w.Number > batch.WriteIns {
			g.WriteIns = append(g.WriteIns, copyWriteIn(w))
		}
	}
	return g, nil
}

// keep makes an effect lasting.
func (d *disk) keep(g oponn.Ground, e oponn.Effect) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ballot := g.Head.Ballot
	if e.Tombstone {
		d.release(ballot, g.Now)
		delete(d.ballots, ballot)
		d.gone[ballot] = g.Now
		return
	}
	if e.Head.Version == g.Head.Version {
		return
	}
	if e.State.Status == oponn.Closed {
		d.release(ballot, g.Now)
	}
	k := d.ballots[ballot]
	k.at, k.record.Head = g.Now, copyHead(e.Head)
	if e.Definition != nil {
		k.record.Definition = bytes.Clone(e.Definition)
	}
	for _, v := range e.Logged {
		k.voters[v.Tag] = append(k.voters[v.Tag], len(k.log))
		k.log = append(k.log, copyVote(v))
	}
	for _, w := range e.Added {
		k.record.WriteIns = append(k.record.WriteIns, copyWriteIn(w))
	}
}

// unique returns an error when an effect's rows are there already.
func (d *disk) unique(ballot oponn.BallotID, e oponn.Effect) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	k := d.ballots[ballot]
	type row struct {
		tag      oponn.VoterTag
		revision uint32
	}
	seen := make(map[row]bool, len(e.Logged))
	for _, v := range e.Logged {
		r := row{v.Tag, v.Revision}
		if seen[r] || slices.ContainsFunc(k.votes(v.Tag), func(old oponn.LoggedVote) bool { return old.Revision == v.Revision }) {
			return oponn.Internal(errors.New("storetest: a voter's revision is there already"))
		}
		seen[r] = true
	}
	for _, w := range e.Added {
		if slices.ContainsFunc(k.record.WriteIns, func(old oponn.SealedWriteIn) bool { return old.ID == w.ID }) {
			return oponn.Internal(errors.New("storetest: a write-in is there already"))
		}
	}
	return nil
}

func copyHead(h oponn.Head) oponn.Head {
	h.Sealed = bytes.Clone(h.Sealed)
	return h
}

func copyVote(v oponn.LoggedVote) oponn.LoggedVote {
	v.Sealed = bytes.Clone(v.Sealed)
	return v
}

func copyWriteIn(w oponn.SealedWriteIn) oponn.SealedWriteIn {
	w.Sealed = bytes.Clone(w.Sealed)
	return w
}

func copyRecord(r oponn.Record) oponn.Record {
	r.Key.Blob, r.Key.Commitment = bytes.Clone(r.Key.Blob), bytes.Clone(r.Key.Commitment)
	r.Definition, r.Head = bytes.Clone(r.Definition), copyHead(r.Head)
	r.WriteIns = slices.Clone(r.WriteIns)
	for i, w := range r.WriteIns {
		r.WriteIns[i] = copyWriteIn(w)
	}
	return r
}
