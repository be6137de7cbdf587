package storetest

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func (s suite) definitions() {
	s.test("an edited definition is kept with its head, beside votes elsewhere", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		edited, neighbour := Create(t, store, Plan{}), Create(t, store, Plan{})
		question := "Shall we go to the hills?"
		change := oponn.Change{Question: &question, Options: []string{"no", "yes"}}
		done := store.Append(context.Background(), []oponn.Batch{
			{Ballot: edited.ID, Apply: edited.Applying(nil, change, oponn.Known{})}, neighbour.Batch(neighbour.NewVotes(t, 3))})
		for _, d := range done {
			expect(t, d.Err, "")
		}
		record := load(t, other, edited.ID)
		expectHead(t, record.Head, done[0].Effect.Head)
		opened, err := oponn.OpenBallot(record, edited.Key)
		expect(t, err, "")
		if opened.Definition.Question != question || opened.Definition.Revision != 1 {
			t.Errorf("the definition is %+v", opened.Definition)
		}
		expectRecord(t, load(t, other, neighbour.ID), func() oponn.Record {
			r := neighbour.Record
			r.Head = done[1].Effect.Head
			return r
		}())
		expect(t, AppendOne(store, edited.Batch(nil)).Err, oponn.CodeBusy) // made for the definition before
		edited.Ballot = opened
		Insist(t, store, edited.Batch([]oponn.Vote{edited.NewVote(t, 1)}))
		edited.Recount(t, store)
	})
	s.test("a definition without a new version is refused", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		batch := oponn.Batch{Ballot: subject.ID, Apply: func(g oponn.Ground) (oponn.Effect, error) {
			return oponn.Effect{Head: g.Head, Definition: []byte("another")}, nil
		}}
		expect(t, AppendOne(store, batch).Err, oponn.CodeInternal)
		expectRecord(t, load(t, store, subject.ID), subject.Record)
	})
}

// byCodes is a ballot on which codes vote.
var byCodes = Plan{Definition: oponn.Definition{Rules: oponn.Rules{Protection: oponn.ProtectedByCodes}}}

// coded returns votes of codes that the store may or may not have.
func (s *Subject) coded(t TB, codes ...oponn.VotingCode) []oponn.Vote {
	votes := make([]oponn.Vote, len(codes))
	for i, code := range codes {
		votes[i] = s.Prepare(code.Voter(), oponn.NewVoteID(), s.Choice(t, i%len(s.Definition.Labels)))
	}
	return votes
}

// newCodes makes codes and stores them.
func (s *Subject) newCodes(t TB, store oponn.Store, count int) []oponn.VotingCode {
	t.Helper()
	codes, tags, err := s.NewCodes(count)
	expect(t, err, "")
	expect(t, store.AddCodes(context.Background(), s.ID, tags), "")
	return codes
}

func (s suite) codes() {
	s.test("those that were stored vote, once", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		subject, stranger, plain := Create(t, store, byCodes), Create(t, store, byCodes), Create(t, store, Plan{})
		codes := append(subject.newCodes(t, store, 3), oponn.NewVotingCode())
		codes = append(codes, stranger.newCodes(t, store, 1)...)
		votes := subject.coded(t, codes...)
		done := other.Append(context.Background(), []oponn.Batch{plain.Batch(plain.NewVotes(t, 5)), subject.Batch(votes)})
		expect(t, done[0].Err, "")
		expect(t, done[1].Err, "")
		for i, outcome := range done[1].Effect.Outcomes {
			want := oponn.Code("")
			if i > 2 {
				want = oponn.CodeCodeRefused
			}
			expect(t, outcome.Err, want)
		}
		again := Insist(t, store, subject.Batch(votes[:1]))
		if !again.Outcomes[0].Repeat {
			t.Error("a repeat got another receipt")
		}
		expect(t, Insist(t, store, subject.Batch(subject.coded(t, codes[0]))).Outcomes[0].Err, oponn.CodeCodeRefused)
		subject.Recount(t, store)
		plain.Recount(t, store)
	})
	s.test("the same tag twice is there once", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, byCodes)
		_, tags, err := subject.NewCodes(2)
		expect(t, err, "")
		for range 2 {
			expect(t, store.AddCodes(context.Background(), subject.ID, append(tags, tags[0])), "")
		}
		subject.expectCodes(t, store, tags...)
	})
	s.test("a ballot that is missing has none", func(t *testing.T, db database) {
		store := db.open(t)
		subject := NewSubject(t, byCodes)
		_, tags, err := subject.NewCodes(1)
		expect(t, err, "")
		missing := func(code oponn.Code) {
			t.Helper()
			expect(t, store.AddCodes(context.Background(), subject.ID, tags), code)
			_, err := store.CountCodes(context.Background(), subject.ID)
			expect(t, err, code)
			_, err = store.Codes(context.Background(), subject.ID)
			expect(t, err, code)
		}
		missing(oponn.CodeNotFound)
		subject = Create(t, store, byCodes)
		subject.newCodes(t, store, 2)
		Insist(t, store, subject.Deleting())
		missing(oponn.CodeGone)
	})
	s.test("too many are refused, and none of them kept", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, byCodes)
		tags := make([]oponn.VoterTag, oponn.MaxCodes)
		for i := range tags {
			tags[i] = oponn.VoterTag{'t', byte(i), byte(i >> 8), byte(i >> 16)}
		}
		expect(t, store.AddCodes(context.Background(), subject.ID, tags), "")
		subject.expectCodes(t, store, tags...)
		code := oponn.NewVotingCode()
		expect(t, store.AddCodes(context.Background(), subject.ID, []oponn.VoterTag{subject.Key.VoterTag(code.Voter())}), oponn.CodeInvalid)
		expect(t, Insist(t, store, subject.Batch(subject.coded(t, code))).Outcomes[0].Err, oponn.CodeCodeRefused)
		if count, err := store.CountCodes(context.Background(), subject.ID); err != nil || count != oponn.MaxCodes {
			t.Errorf("%d codes, %v", count, err)
		}
	})
	s.test("those of one ballot are told apart from another's", func(t *testing.T, db database) {
		store, other := db.open(t), db.open(t)
		subject, stranger, bare := Create(t, store, byCodes), Create(t, store, byCodes), Create(t, store, byCodes)
		var tags []oponn.VoterTag
		for range 2 {
			for _, code := range subject.newCodes(t, store, 3) {
				tags = append(tags, subject.Key.VoterTag(code.Voter()))
			}
			stranger.newCodes(t, other, 1)
		}
		for _, store := range []oponn.Store{store, other} {
			subject.expectCodes(t, store, tags...)
			bare.expectCodes(t, store)
		}
	})
	s.test("of many votes with one code one is counted", func(t *testing.T, db database) {
		stores := []oponn.Store{db.open(t), db.open(t)}
		subject := Create(t, stores[0], byCodes)
		code := subject.newCodes(t, stores[0], 1)[0]
		outcomes := make(chan error)
		for i := range 8 {
			batch := subject.Batch(subject.coded(t, code))
			go func() {
				effect, err := insist(stores[i%2], batch)
				if err == nil {
					err = effect.Outcomes[0].Err
				}
				outcomes <- err
			}()
		}
		counted := 0
		for range 8 {
			if err := <-outcomes; err == nil {
				counted++
			} else {
				expect(t, err, oponn.CodeCodeRefused)
			}
		}
		if record, _ := subject.Recount(t, stores[0]); counted != 1 || record.Head.Voters != 1 {
			t.Errorf("%d votes counted, %d voters", counted, record.Head.Voters)
		}
	})
}

// expectCodes checks which codes a store has of the ballot.
func (s *Subject) expectCodes(t TB, store oponn.Store, want ...oponn.VoterTag) {
	t.Helper()
	tags, err := store.Codes(context.Background(), s.ID)
	expect(t, err, "")
	count, err := store.CountCodes(context.Background(), s.ID)
	expect(t, err, "")
	order := func(a, b oponn.VoterTag) int { return bytes.Compare(a[:], b[:]) }
	if !slices.Equal(slices.SortedFunc(slices.Values(tags), order), slices.SortedFunc(slices.Values(want), order)) || count != len(want) {
		t.Errorf("%d codes, counted %d, want %d", len(tags), count, len(want))
	}
}

func (s suite) changes() {
	plan := Plan{Definition: oponn.Definition{Rules: oponn.Rules{AllowChange: true}}}
	s.test("the last vote counts, whichever instance took it", func(t *testing.T, db database) {
		stores := []oponn.Store{db.open(t), db.open(t)}
		subject := Create(t, stores[0], plan)
		voter := oponn.NewVoterID()
		var votes []oponn.Vote
		for n := range oponn.MaxChanges + 1 {
			votes = append(votes, subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, n%3)))
			effect := Insist(t, stores[n%2], subject.Batch(votes[n:]))
			expect(t, effect.Outcomes[0].Err, "")
			if got := effect.Outcomes[0].Logged.Revision; got != uint32(n)+1 {
				t.Errorf("vote %d has revision %d", n, got)
			}
		}
		more := subject.Prepare(voter, oponn.NewVoteID(), subject.Choice(t, 1))
		expect(t, Insist(t, stores[0], subject.Batch([]oponn.Vote{more})).Outcomes[0].Err, oponn.CodeAlreadyVoted)
		for n, outcome := range Insist(t, stores[1], subject.Batch(votes)).Outcomes {
			if !outcome.Repeat || outcome.Logged.Revision != uint32(n)+1 {
				t.Errorf("vote %d again: %+v", n, outcome)
			}
		}
		record, log := subject.Recount(t, stores[0])
		if counts := subject.State(t, record.Head).Counts; !slices.Equal(counts, []uint64{0, 0, 1}) || len(log) != 21 {
			t.Errorf("counted %v of %d votes", counts, len(log))
		}
	})
	s.test("of many at once each has its place", func(t *testing.T, db database) {
		stores := []oponn.Store{db.open(t), db.open(t)}
		subject := Create(t, stores[0], plan)
		voters := []oponn.VoterID{oponn.NewVoterID(), oponn.NewVoterID()}
		done := make(chan error)
		for i := range 8 {
			votes := make([]oponn.Vote, 4)
			for n := range votes {
				votes[n] = subject.Prepare(voters[n%2], oponn.NewVoteID(), subject.Choice(t, (i+n)%3))
			}
			go func() {
				_, err := insist(stores[i%2], subject.Batch(votes))
				done <- err
			}()
		}
		for range 8 {
			expect(t, <-done, "")
		}
		if record, log := subject.Recount(t, stores[0]); record.Head.Voters != 2 || len(log) != 32 {
			t.Errorf("%d voters and %d votes", record.Head.Voters, len(log))
		}
	})
}

func (s suite) retention() {
	s.test("what has expired is found, and purged", func(t *testing.T, db database) {
		store, ctx := db.open(t), context.Background()
		old, fresh, unknown := NewSubject(t, Plan{}), Create(t, store, Plan{}), NewSubject(t, Plan{})
		old.Record.Head.ExpiresAt = clockOf(t, store).Add(-time.Second)
		unknown.Record.Head.ExpiresAt = time.Time{} // of a release before
		for _, subject := range []*Subject{old, unknown} {
			_, err := store.Create(ctx, subject.Record)
			expect(t, err, "")
		}
		if got := load(t, store, unknown.ID).Head.ExpiresAt; !got.IsZero() {
			t.Errorf("an expiry of %v from nowhere", got)
		}
		expired, err := store.Expired(ctx, 10)
		expect(t, err, "")
		if !slices.Equal(expired, []oponn.BallotID{old.ID}) {
			t.Errorf("expired are %v, want %v", expired, old.ID)
		}
		for _, done := range store.Append(ctx, []oponn.Batch{oponn.Purging(old.ID), oponn.Purging(fresh.ID)}) {
			expect(t, done.Err, "")
		}
		_, err = store.Load(ctx, old.ID)
		expect(t, err, oponn.CodeGone)
		expectRecord(t, load(t, store, fresh.ID), fresh.Record)
		if expired, err = store.Expired(ctx, 10); err != nil || len(expired) > 0 {
			t.Errorf("expired are %v, %v", expired, err)
		}
	})
	s.test("a vote puts it off", func(t *testing.T, db database) {
		store := db.open(t)
		subject := NewSubject(t, Plan{})
		subject.Record.Head.ExpiresAt = clockOf(t, store).Add(-time.Second)
		_, err := store.Create(context.Background(), subject.Record)
		expect(t, err, "")
		effect := Insist(t, store, subject.Batch(subject.NewVotes(t, 1)))
		expectHead(t, load(t, store, subject.ID).Head, effect.Head)
		if effect := Insist(t, store, oponn.Purging(subject.ID)); effect.Tombstone {
			t.Error("purged")
		}
	})
	s.test("no more than asked for", func(t *testing.T, db database) {
		store := db.open(t)
		for range 3 {
			subject := NewSubject(t, Plan{})
			subject.Record.Head.ExpiresAt = clockOf(t, store).Add(-time.Second)
			_, err := store.Create(context.Background(), subject.Record)
			expect(t, err, "")
		}
		if expired, err := store.Expired(context.Background(), 2); err != nil || len(expired) != 2 {
			t.Errorf("expired are %v, %v", expired, err)
		}
	})
}
