package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/oponn/oponn"
)

// ground is what a batch needs, or why it can't have it.
type ground struct {
	oponn.Ground
	read  time.Time // the server's clock
	moved time.Time
	err   error
}

// grounds begins a transaction, locks the heads of batches and reads what
// belongs to them, in one round trip. It looks for earlier votes if asked to.
func (c *connection) grounds(ctx context.Context, batches []oponn.Batch, look bool) ([]ground, error) {
	grounds := make([]ground, len(batches))
	index := make(map[oponn.BallotID]int, len(batches))
	ballots := make([]oponn.BallotID, len(batches))
	for i, batch := range batches {
		index[batch.Ballot], ballots[i] = i, batch.Ballot
	}
	noneEarlier(batches, grounds)
	var now time.Time
	steps := []step{
		{begin, nil, nil},
		{lockHeads, [][]byte{uuids(ballots)}, func(row row) {
			g := &grounds[index[row.ballot()]]
			g.Head, g.moved = row.head(), row.moved()
		}},
		{selectNow, nil, func(row row) { now = row.instant(0) }},
	}
	if look {
		steps = append(steps, lookUp(batches, grounds)...)
	}
	if err := c.run(ctx, steps...); err != nil {
		return nil, err
	}
	if err := c.newer(ctx, batches, grounds); err != nil {
		return nil, err
	}
	for i := range grounds {
		grounds[i].settle(now)
	}
	return grounds, c.explainMissing(ctx, ballots, grounds)
}

// noneEarlier makes room for the earlier votes of the voters of batches.
func noneEarlier(batches []oponn.Batch, grounds []ground) {
	votes := 0
	for i := range batches {
		votes += len(batches[i].Votes)
	}
	all := make([][]oponn.LoggedVote, votes)
	for i := range batches {
		n := len(batches[i].Votes)
		grounds[i].Earlier, all = all[:n:n], all[n:]
	}
}

// lookAgain reads what grounds left out.
func (c *connection) lookAgain(ctx context.Context, batches []oponn.Batch, grounds []ground) error {
	if err := c.run(ctx, lookUp(batches, grounds)...); err != nil {
		return err
	}
	for i := range grounds {
		grounds[i].sort()
	}
	return nil
}

// newer reads the write-ins that batches don't know. That takes a round trip
// of its own: nearly always there are none.
func (c *connection) newer(ctx context.Context, batches []oponn.Batch, grounds []ground) error {
	known := true
	for i := range batches {
		known = known && grounds[i].Head.WriteIns <= batches[i].WriteIns
	}
	if known {
		return nil
	}
	return c.run(ctx, step{selectNewer, above(batches), func(row row) {
		g := &grounds[row.bigint(0)-1]
		g.WriteIns = append(g.WriteIns, row[1:].writeIn())
	}})
}

// place is where a vote stands.
type place struct{ batch, vote int }

// lookUp returns the queries for earlier votes of the voters of batches, and
// for their codes where a batch needs them.
func lookUp(batches []oponn.Batch, grounds []ground) []step {
	places := make([]place, 0, len(batches[0].Votes))
	for i, batch := range batches {
		for n := range batch.Votes {
			places = append(places, place{i, n})
		}
	}
	// One after the other in the index, as rows are: its pages stay at hand.
	slices.SortFunc(places, func(a, b place) int {
		one, other := &batches[a.batch], &batches[b.batch]
		if a.batch != b.batch {
			return bytes.Compare(one.Ballot[:], other.Ballot[:])
		}
		return bytes.Compare(one.Votes[a.vote].Tag[:], other.Votes[b.vote].Tag[:])
	})
	ballots, tags := newArray(oidUUID, len(places), 16), newArray(oidUUID, len(places), 16)
	for _, at := range places {
		ballots.blob(batches[at.batch].Ballot[:])
		tags.blob(batches[at.batch].Votes[at.vote].Tag[:])
	}
	args := [][]byte{ballots.done(), tags.done()}
	steps := []step{{selectEarlier, args, func(row row) {
		at := places[row.bigint(0)-1]
		earlier := &grounds[at.batch].Earlier[at.vote]
		*earlier = append(*earlier, row[1:].vote())
	}}}
	if slices.ContainsFunc(batches, func(b oponn.Batch) bool { return b.Codes }) {
		steps = append(steps, step{selectCodes, args, noteCodes(batches, grounds, places)})
	}
	return steps
}

// noteCodes returns what notes the rows of selectCodes, whose parameters are
// those of selectEarlier.
func noteCodes(batches []oponn.Batch, grounds []ground, places []place) func(row) {
	for i, batch := range batches {
		if batch.Codes {
			grounds[i].Codes = make([]bool, len(batch.Votes))
		}
	}
	return func(row row) {
		at := places[row.bigint(0)-1]
		if codes := grounds[at.batch].Codes; codes != nil {
			codes[at.vote] = true
		}
	}
}

// above returns the parameters of selectNewer.
func above(batches []oponn.Batch) [][]byte {
	ballots, numbers := newArray(oidUUID, len(batches), 16), newArray(oidInt, len(batches), 4)
	for _, batch := range batches {
		ballots.blob(batch.Ballot[:])
		numbers.integer(batch.WriteIns)
	}
	return [][]byte{ballots.done(), numbers.done()}
}

// settle sets the clock and the order of what was read.
func (g *ground) settle(now time.Time) {
	g.read, g.Now = now, now
	if now.Before(g.moved) {
		g.Now = g.moved // another server's clock, or one that was set back
	}
	g.sort()
}

func (g *ground) sort() {
	for _, earlier := range g.Earlier {
		slices.SortFunc(earlier, func(a, b oponn.LoggedVote) int { return cmp.Compare(a.Revision, b.Revision) })
	}
	slices.SortFunc(g.WriteIns, func(a, b oponn.SealedWriteIn) int { return cmp.Compare(a.Number, b.Number) })
}

// explainMissing says of ballots without a head why they have none.
func (c *connection) explainMissing(ctx context.Context, ballots []oponn.BallotID, grounds []ground) error {
	var missing []oponn.BallotID
	for i, g := range grounds {
		if g.Head.Version == 0 {
			missing = append(missing, ballots[i])
		}
	}
	why, err := c.whyMissing(ctx, missing)
	if err != nil {
		return err
	}
	for i := range grounds {
		grounds[i].err = why[ballots[i]]
	}
	return nil
}

// whyMissing returns why there are no such ballots: CodeGone or CodeNotFound.
func (c *connection) whyMissing(ctx context.Context, ballots []oponn.BallotID) (map[oponn.BallotID]error, error) {
	if len(ballots) == 0 {
		return nil, nil
	}
	why := make(map[oponn.BallotID]error, len(ballots))
	for _, ballot := range ballots {
		why[ballot] = oponn.Errorf(oponn.CodeNotFound, "There is no such ballot.")
	}
	err := c.run(ctx, step{selectTombstones, [][]byte{uuids(ballots)}, func(row row) {
		why[row.ballot()] = oponn.Errorf(oponn.CodeGone, "This ballot was deleted.")
	}})
	return why, err
}
