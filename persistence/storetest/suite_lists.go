package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/oponn/oponn"
)

func (s suite) votes() {
	s.test("a voter's revisions come in their order", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		tag := subject.Key.VoterTag(oponn.NewVoterID())
		var want []oponn.LoggedVote
		for revision := range uint32(12) {
			Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
			want = append(want, Insist(t, store, revising(subject, tag, revision+1)).Logged...)
		}
		got, err := store.Votes(context.Background(), subject.ID, tag)
		expect(t, err, "")
		expectVotes(t, got, want)
		batch := subject.Batch([]oponn.Vote{{Tag: tag}, subject.NewVote(t, 0), {Tag: tag}})
		var earlier [][]oponn.LoggedVote
		batch.Apply = func(g oponn.Ground) (oponn.Effect, error) {
			earlier = g.Earlier
			return oponn.Effect{Head: g.Head}, nil
		}
		Insist(t, store, batch)
		for i, want := range [][]oponn.LoggedVote{want, nil, want} {
			expectVotes(t, earlier[i], want)
		}
	})
	s.test("a stranger, or an unknown ballot, has none", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		Insist(t, store, subject.Batch(subject.NewVotes(t, 3)))
		for _, id := range []oponn.BallotID{subject.ID, oponn.NewBallotID()} {
			got, err := store.Votes(context.Background(), id, oponn.VoterTag{1})
			expect(t, err, "")
			expectVotes(t, got, nil)
		}
	})
}

// revising returns a batch that appends one more revision of a voter's vote,
// as ballots with votes that can be changed will.
func revising(subject *Subject, tag oponn.VoterTag, revision uint32) oponn.Batch {
	return oponn.Batch{Ballot: subject.ID, Apply: func(g oponn.Ground) (oponn.Effect, error) {
		head := g.Head
		head.Version++
		head.Position++
		state, err := oponn.OpenState(subject.Key, g.Head)
		if err != nil {
			return oponn.Effect{}, err
		}
		head.Sealed, err = state.Seal(subject.Key, head.Version)
		return oponn.Effect{Head: head, Logged: []oponn.LoggedVote{{Tag: tag, Revision: revision, ID: oponn.NewVoteID(),
			Position: head.Position, Version: head.Version, At: g.Now, Sealed: []byte{byte(revision)}}}}, err
	}}
}

func (s suite) owned() {
	s.test("an owner's ballots come newest first, page by page", func(t *testing.T, db database) {
		store := db.open(t)
		owner := oponn.NewOwnerID()
		var want []oponn.BallotID
		for range 7 {
			subject := Create(t, store, Plan{Definition: withWriteIns.Definition, Owner: owner})
			Insist(t, store, subject.Batch([]oponn.Vote{subject.writeInVote(t, "the moon")}))
			Create(t, store, Plan{Owner: oponn.NewOwnerID()})
			Create(t, store, Plan{})
			want = append(want, subject.ID)
		}
		slices.Reverse(want)
		var got []oponn.BallotID
		var before oponn.BallotID
		for {
			page, err := store.Owned(context.Background(), owner.Hash(), oponn.Edge{Ballot: before}, 3)
			expect(t, err, "")
			if len(page) == 0 {
				break
			}
			for i, record := range page {
				expectRecord(t, record, load(t, store, record.Ballot))
				if last := len(got); last > 0 && i > 0 && record.CreatedAt.After(page[i-1].CreatedAt) {
					t.Errorf("a newer ballot after an older one")
				}
				got = append(got, record.Ballot)
			}
			before = got[len(got)-1]
		}
		if !sameIDsUpToTies(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		// And back again: the newer ones nearest to the edge.
		for i := range got {
			page, err := store.Owned(context.Background(), owner.Hash(), oponn.Edge{Ballot: got[i], Newer: true}, 3)
			expect(t, err, "")
			var ids []oponn.BallotID
			for _, record := range page {
				ids = append(ids, record.Ballot)
			}
			if !slices.Equal(ids, got[max(0, i-3):i]) {
				t.Errorf("before ballot %d of %v are %v", i, got, ids)
			}
		}
	})
	s.test("nobody owns the ballots without an owner", func(t *testing.T, db database) {
		store := db.open(t)
		Create(t, store, Plan{})
		owned, err := store.Owned(context.Background(), [32]byte{}, oponn.Edge{}, 10)
		expect(t, err, "")
		if len(owned) != 0 {
			t.Errorf("got %d", len(owned))
		}
	})
	s.test("a page after an unknown ballot is not found, after a deleted one gone", func(t *testing.T, db database) {
		store := db.open(t)
		owner := oponn.NewOwnerID()
		Create(t, store, Plan{Owner: owner})
		deleted := Create(t, store, Plan{Owner: owner})
		Insist(t, store, deleted.Deleting())
		_, err := store.Owned(context.Background(), owner.Hash(), oponn.Edge{Ballot: oponn.NewBallotID()}, 10)
		expect(t, err, oponn.CodeNotFound)
		_, err = store.Owned(context.Background(), owner.Hash(), oponn.Edge{Ballot: deleted.ID}, 10)
		expect(t, err, oponn.CodeGone)
	})
}

// sameIDsUpToTies allows ballots made in the same microsecond to change
// places: it asks for the same set without repetition.
func sameIDsUpToTies(got, want []oponn.BallotID) bool {
	got, want = slices.Clone(got), slices.Clone(want)
	slices.SortFunc(got, oponn.BallotID.Compare)
	slices.SortFunc(want, oponn.BallotID.Compare)
	return slices.Equal(got, want)
}

func (s suite) ballots() {
	s.test("all come in the order of their ids, page by page", func(t *testing.T, db database) {
		store := db.open(t)
		var want []oponn.BallotID
		for range 11 {
			want = append(want, Create(t, store, Plan{}).ID)
		}
		slices.SortFunc(want, oponn.BallotID.Compare)
		var got []oponn.BallotID
		var after oponn.BallotID
		for {
			page, err := store.Ballots(context.Background(), after, 4)
			expect(t, err, "")
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	s.test("an id need not exist to begin after it", func(t *testing.T, db database) {
		store := db.open(t)
		Create(t, store, Plan{})
		var last oponn.BallotID
		for i := range last {
			last[i] = 0xff
		}
		page, err := store.Ballots(context.Background(), last, 4)
		expect(t, err, "")
		if len(page) != 0 {
			t.Errorf("got %v", page)
		}
	})
}

func (s suite) votesByTag() {
	s.test("the log of a ballot comes by its key, page by page, all revisions with it", func(t *testing.T, db database) {
		store := db.open(t)
		subject, other := Create(t, store, Plan{}), Create(t, store, Plan{})
		Insist(t, store, other.Batch(other.NewVotes(t, 10)))
		var want []oponn.LoggedVote
		for range 3 {
			want = append(want, Insist(t, store, subject.Batch(subject.NewVotes(t, oponn.VotesPage/2+100))).Logged...)
		}
		for i := range 5 { // also where a page ends
			want = append(want, Insist(t, store, revising(subject, want[i].Tag, 2)).Logged...)
		}
		slices.SortFunc(want, byTag)
		var got []oponn.LoggedVote
		for last := (oponn.LoggedVote{}); ; {
			page, err := store.VotesByTag(context.Background(), subject.ID, last.Tag, last.Revision)
			expect(t, err, "")
			if len(page) == 0 {
				break
			}
			if len(page) > oponn.VotesPage {
				t.Errorf("a page of %d", len(page))
			}
			got = append(got, page...)
			last = got[len(got)-1]
		}
		expectVotes(t, got, want)
		first := want[0]
		page, err := store.VotesByTag(context.Background(), subject.ID, first.Tag, first.Revision)
		expect(t, err, "")
		expectVotes(t, page[:3], want[1:4])
	})
	s.test("a ballot that is unknown has none", func(t *testing.T, db database) {
		page, err := db.open(t).VotesByTag(context.Background(), oponn.NewBallotID(), oponn.VoterTag{}, 0)
		expect(t, err, "")
		expectVotes(t, page, nil)
	})
}
