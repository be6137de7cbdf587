package postgres

import (
	"time"

	"github.com/oponn/oponn"
)

// kept gathers what effects of one transaction write.
type kept struct {
	effects []move
	votes   int
	added   int
	edited  int
	buried  []oponn.BallotID
	closed  []oponn.BallotID // those and the ones that are closed now: their join codes are released
	at      array            // when those were buried
}

// move is an effect that moves a head.
type move struct {
	*oponn.Effect
	at time.Time
}

// add takes an effect, which may not change any more.
func (k *kept) add(ground *oponn.Ground, effect *oponn.Effect) {
	ballot := ground.Head.Ballot
	switch {
	case effect.Tombstone:
		if k.buried == nil {
			k.at = newArray(oidTimestamptz, 1, 8)
		}
		k.buried, k.closed = append(k.buried, ballot), append(k.closed, ballot)
		k.at.instant(ground.Now)
	case effect.Head.Version != ground.Head.Version:
		k.effects = append(k.effects, move{effect, ground.Now})
		k.votes += len(effect.Logged)
		k.added += len(effect.Added)
		if effect.Definition != nil {
			k.edited++
		}
		if effect.State.Status == oponn.Closed {
			k.closed = append(k.closed, ballot)
		}
	}
}

// steps returns the queries that write it all.
func (k *kept) steps() []step {
	steps := k.rows()
	if k.edited > 0 {
		steps = append(steps, step{updateDefinitions, k.definitions(), nil})
	}
	if len(k.effects) > 0 {
		steps = append(steps, step{updateHeads, k.heads(), nil})
	}
	if len(k.closed) > 0 {
		steps = append(steps, step{releaseJoinCodes, [][]byte{uuids(k.closed)}, nil})
	}
	if len(k.buried) > 0 {
		ballots := uuids(k.buried)
		for _, q := range []query{deleteBallots, deleteHeads, deleteWriteIns} {
			steps = append(steps, step{q, [][]byte{ballots}, nil})
		}
		steps = append(steps, step{insertTombstones, [][]byte{ballots, k.at.done()}, nil})
	}
	return steps
}

// rows returns the queries that write what is added to the log and to the
// write-ins.
func (k *kept) rows() []step {
	var steps []step
	if k.votes > 0 {
		steps = append(steps, step{insertVotes, k.logged(), nil})
	}
	if k.added > 0 {
		steps = append(steps, step{insertWriteIns, k.writeIns(), nil})
	}
	return steps
}

// logged returns the parameters of insertVotes.
func (k *kept) logged() [][]byte {
	size := 0
	for _, effect := range k.effects {
		for _, vote := range effect.Logged {
			size = max(size, len(vote.Sealed)) // they are all as long
		}
	}
	ballots, tags, ids := newArray(oidUUID, k.votes, 16), newArray(oidUUID, k.votes, 16), newArray(oidUUID, k.votes, 16)
	revisions, positions, versions := newArray(oidInt, k.votes, 4), newArray(oidBigint, k.votes, 8), newArray(oidBigint, k.votes, 8)
	times, sealed := newArray(oidTimestamptz, k.votes, 8), newArray(oidBytea, k.votes, size)
	for _, effect := range k.effects {
		for i := range effect.Logged {
			vote := &effect.Logged[i]
			ballots.blob(effect.Head.Ballot[:])
			tags.blob(vote.Tag[:])
			revisions.integer(int(vote.Revision))
			ids.blob(vote.ID[:])
			positions.bigint(signed(vote.Position))
			versions.bigint(signed(vote.Version))
			times.instant(vote.At)
			sealed.blob(vote.Sealed)
		}
	}
	return [][]byte{ballots.done(), tags.done(), revisions.done(), ids.done(), positions.done(), versions.done(), times.done(), sealed.done()}
}

// writeIns returns the parameters of insertWriteIns.
func (k *kept) writeIns() [][]byte {
	ballots, numbers := newArray(oidUUID, k.added, 16), newArray(oidInt, k.added, 4)
	ids, sealed := newArray(oidText, k.added, 16), newArray(oidBytea, k.added, 64)
	for _, effect := range k.effects {
		for _, w := range effect.Added {
			ballots.blob(effect.Head.Ballot[:])
			numbers.integer(w.Number)
			ids.blob([]byte(w.ID))
			sealed.blob(w.Sealed)
		}
	}
	return [][]byte{ballots.done(), numbers.done(), ids.done(), sealed.done()}
}

// definitions returns the parameters of updateDefinitions.
func (k *kept) definitions() [][]byte {
	ballots, sealed := newArray(oidUUID, k.edited, 16), newArray(oidBytea, k.edited, 256)
	for _, effect := range k.effects {
		if effect.Definition != nil {
			ballots.blob(effect.Head.Ballot[:])
			sealed.blob(effect.Definition)
		}
	}
	return [][]byte{ballots.done(), sealed.done()}
}

// heads returns the parameters of updateHeads.
func (k *kept) heads() [][]byte {
	n := len(k.effects)
	ballots, versions, positions := newArray(oidUUID, n, 16), newArray(oidBigint, n, 8), newArray(oidBigint, n, 8)
	voters, writeIns := newArray(oidBigint, n, 8), newArray(oidInt, n, 4)
	sealed, times, expiries := newArray(oidBytea, n, 256), newArray(oidTimestamptz, n, 8), newArray(oidTimestamptz, n, 8)
	for _, effect := range k.effects {
		head := effect.Head
		ballots.blob(head.Ballot[:])
		versions.bigint(signed(head.Version))
		positions.bigint(signed(head.Position))
		voters.bigint(signed(head.Voters))
		writeIns.integer(head.WriteIns)
		sealed.blob(head.Sealed)
		times.instant(effect.at)
		expiries.instantOrNull(head.ExpiresAt)
	}
	return [][]byte{ballots.done(), versions.done(), positions.done(), voters.done(), writeIns.done(), sealed.done(), times.done(), expiries.done()}
}
