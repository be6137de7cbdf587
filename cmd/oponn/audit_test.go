package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/persistence/storetest"
)

// shortPages lists two ballots at a time, and deletes one after it was listed.
type shortPages struct {
	oponn.Store
	t      *testing.T
	doomed oponn.BallotID
}

func (s shortPages) Ballots(ctx context.Context, after oponn.BallotID, _ int) ([]oponn.BallotID, error) {
	ballots, err := s.Store.Ballots(ctx, after, 2)
	for _, ballot := range ballots {
		if ballot == s.doomed {
			deleteBallot(s.t, s.Store, ballot)
		}
	}
	return ballots, err
}

func deleteBallot(t *testing.T, store oponn.Store, ballot oponn.BallotID) {
	t.Helper()
	appended := store.Append(t.Context(), []oponn.Batch{{Ballot: ballot, Apply: func(ground oponn.Ground) (oponn.Effect, error) {
		return oponn.Effect{Head: ground.Head, Tombstone: true}, nil
	}}})
	if appended[0].Err != nil {
		t.Fatal(appended[0].Err)
	}
}

func TestAudit_DeletedInBetween(t *testing.T) {
	kek, err := keys.OpenLocal(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	store, ring := storetest.NewMemory(), keys.NewRing(kek)
	system, err := actors.Start(actors.Config{Store: store, Keys: ring, Bus: bus.NewLocal()})
	if err != nil {
		t.Fatal(err)
	}
	var doomed oponn.BallotID
	for range 5 {
		created, err := system.Create(t.Context(), oponn.Draft{Question: "Why?", Options: []string{"so", "so not"}}, oponn.OwnerID{})
		if err != nil {
			t.Fatal(err)
		}
		doomed = created.Snapshot.Ballot.ID
	}
	if err := system.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}

	var out strings.Builder
	a := audit{store: shortPages{store, t, doomed}, keys: ring, out: &out}
	if err := a.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.sum(); err != nil {
		t.Errorf("a deleted ballot is no fault, got %v", err)
	}
	if text := out.String(); strings.Count(text, "ok   ") != 4 || !strings.Contains(text, "gone "+doomed.String()) ||
		!strings.HasSuffix(text, "sum  ballots 4  votes 0  deleted 1  wrong 0\n") {
		t.Errorf("got:\n%s", text)
	}
}

func TestAudit_StoppedInBetween(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := audit{store: storetest.NewMemory(), keys: nil, out: &strings.Builder{}}
	if err := a.one(ctx, oponn.NewBallotID()); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("got %v", err)
	}
}

// lateDeletion deletes a ballot between its log and its codes.
type lateDeletion struct {
	oponn.Store
	t *testing.T
}

func (s lateDeletion) Codes(ctx context.Context, ballot oponn.BallotID) ([]oponn.VoterTag, error) {
	deleteBallot(s.t, s.Store, ballot)
	return s.Store.Codes(ctx, ballot)
}

func TestAudit_DeletedBeforeItsCodes(t *testing.T) {
	kek, err := keys.OpenLocal(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	store, ring := storetest.NewMemory(), keys.NewRing(kek)
	system, err := actors.Start(actors.Config{Store: store, Keys: ring, Bus: bus.NewLocal()})
	if err != nil {
		t.Fatal(err)
	}
	created, err := system.Create(t.Context(), oponn.Draft{Question: "Why?", Options: []string{"so", "so not"}, Rules: oponn.Rules{Protection: oponn.ProtectedByCodes}}, oponn.OwnerID{})
	if err != nil {
		t.Fatal(err)
	}
	if err := system.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	a := audit{store: lateDeletion{store, t}, keys: ring, out: &out}
	if err := a.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.sum(); err != nil || !strings.Contains(out.String(), "gone "+created.Snapshot.Ballot.ID.String()) {
		t.Errorf("got %v:\n%s", err, out.String())
	}
}
