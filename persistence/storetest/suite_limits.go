package storetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

func (s suite) limits() {
	s.test("fifty options with labels of one KiB", func(t *testing.T, db database) {
		store := db.open(t)
		labels := make([]string, oponn.MaxOptions)
		for i := range labels {
			labels[i] = fmt.Sprintf("%02d", i) + strings.Repeat("x", oponn.MaxLabelBytes-2)
		}
		subject := Create(t, store, Plan{Definition: oponn.Definition{Question: strings.Repeat("?", oponn.MaxQuestion), Labels: labels}})
		Insist(t, store, subject.Batch(subject.NewVotes(t, 100)))
		record, _ := subject.Recount(t, store)
		opened, err := oponn.OpenBallot(record, subject.Key)
		expect(t, err, "")
		if len(opened.Definition.Labels) != oponn.MaxOptions || opened.Definition.Labels[49] != labels[49] {
			t.Error("the labels are not those that were given")
		}
	})
	s.test("a definition of two hundred KiB", func(t *testing.T, db database) {
		store := db.open(t)
		subject := NewSubject(t, Plan{})
		subject.Record.Definition = noise(200 << 10)
		at, err := store.Create(context.Background(), subject.Record)
		expect(t, err, "")
		subject.Record.CreatedAt = at
		expectRecord(t, load(t, store, subject.ID), subject.Record)
	})
	s.test("a batch of five thousand votes, and again", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		votes := subject.NewVotes(t, 5000)
		first := Insist(t, store, subject.Batch(votes))
		again := Insist(t, store, subject.Batch(votes))
		for i, outcome := range again.Outcomes {
			if !outcome.Repeat || !sameVote(outcome.Logged, first.Outcomes[i].Logged) {
				t.Fatalf("vote %d: got %+v, want %+v", i, outcome, first.Outcomes[i])
			}
		}
		record, log := subject.Recount(t, store)
		expectHead(t, record.Head, first.Head)
		expectVotes(t, log, first.Logged)
	})
	s.test("two hundred batches in one transaction", func(t *testing.T, db database) {
		store := db.open(t)
		subjects, batches := make([]*Subject, 200), make([]oponn.Batch, 200)
		for i := range subjects {
			subjects[i] = Create(t, store, Plan{})
			batches[i] = subjects[i].Batch(subjects[i].NewVotes(t, 2))
		}
		for i, done := range store.Append(context.Background(), batches) {
			expect(t, done.Err, "")
			if done.Effect.Head.Ballot != subjects[i].ID {
				t.Fatalf("answer %d is another ballot's", i)
			}
			subjects[i].Recount(t, store)
		}
	})
	s.test("any bytes come back as they were", func(t *testing.T, db database) {
		store := db.open(t)
		for _, b := range [][]byte{{0}, {}, bytes.Repeat([]byte{0}, 100), []byte("it's \"quoted\"\\; --"), {0xff, 0xfe, 0x00, 0x80}, noise(5000)} {
			anyBytes(t, store, b)
		}
	})
	s.test("the largest numbers come back as they were", func(t *testing.T, db database) {
		store := db.open(t)
		subject := Create(t, store, Plan{})
		batch := oponn.Batch{Ballot: subject.ID, Apply: func(g oponn.Ground) (oponn.Effect, error) {
			head := g.Head
			head.Version++
			head.Voters = 1<<63 - 1
			return oponn.Effect{Head: head}, nil
		}}
		effect := Insist(t, store, batch)
		expectHead(t, load(t, store, subject.ID).Head, effect.Head)
	})
}

// anyBytes stores b in every field that holds sealed bytes.
func anyBytes(t *testing.T, store oponn.Store, b []byte) {
	subject := NewSubject(t, withWriteIns)
	subject.Record.Definition, subject.Record.Head.Sealed = b, b
	subject.Record.Key = oponn.WrappedKey{KEK: "arn:aws:kms:ü/é", Blob: b, Commitment: b}
	at, err := store.Create(context.Background(), subject.Record)
	expect(t, err, "")
	subject.Record.CreatedAt = at
	expectRecord(t, load(t, store, subject.ID), subject.Record)
	var logged []oponn.LoggedVote
	var added []oponn.SealedWriteIn
	effect := Insist(t, store, oponn.Batch{Ballot: subject.ID, Apply: func(g oponn.Ground) (oponn.Effect, error) {
		head := g.Head
		head.Version, head.Position, head.Voters, head.WriteIns, head.Sealed = 2, 1, 1, 1, b
		logged = []oponn.LoggedVote{{Tag: oponn.VoterTag{0, 0xff}, Revision: 1, Position: 1, Version: 2, At: g.Now, Sealed: b}}
		added = []oponn.SealedWriteIn{{Number: 1, ID: "w0", Sealed: b}}
		return oponn.Effect{Head: head, Logged: logged, Added: added}, nil
	}})
	want := subject.Record
	want.Head, want.WriteIns = effect.Head, added
	expectRecord(t, load(t, store, subject.ID), want)
	got, err := store.Votes(context.Background(), subject.ID, oponn.VoterTag{0, 0xff})
	expect(t, err, "")
	expectVotes(t, got, logged)
}

func noise(n int) []byte {
	random := rand.NewChaCha8([32]byte{byte(n)})
	b := make([]byte, n)
	_, _ = random.Read(b)
	return b
}
