package storetest

import (
	"context"
	"testing"

	"github.com/oponn/oponn"
)

// Database is one database of a test, on which stores can be opened.
type Database interface {
	// Open returns a Store on the data: one more instance, with connections
	// of its own, whatever others are open. Opening after all have been closed
	// is a restart. The suite closes what it opens; a second Close must be
	// harmless.
	Open(t testing.TB) oponn.Store
}

// CommitLoser is a capability that a Store under test may have: its next
// transaction of Append reports CodeOutcomeUnknown, as if the answer to COMMIT
// had been lost on the way, after it was committed or after it was aborted.
type CommitLoser interface {
	LoseNextCommit(committed bool)
}

// Run runs the suite. fresh makes an empty database, and releases it when the
// given test ends; it is called once for every subtest.
func Run(t *testing.T, fresh func(t *testing.T) Database) {
	s := suite{t: t, fresh: fresh}
	s.group("Create", suite.create)
	s.group("Load", suite.load)
	s.group("Append", suite.append)
	s.group("Neighbours", suite.neighbours)
	s.group("Effects", suite.effects)
	s.group("KnownHeads", suite.knownHeads)
	s.group("Closing", suite.closing)
	s.group("WriteIns", suite.writeIns)
	s.group("Deletion", suite.deletion)
	s.group("Definitions", suite.definitions)
	s.group("Codes", suite.codes)
	s.group("JoinCodes", suite.joinCodes)
	s.group("Pace", suite.pace)
	s.group("Changes", suite.changes)
	s.group("Retention", suite.retention)
	s.group("Rewrap", suite.rewrap)
	s.group("Heads", suite.heads)
	s.group("Votes", suite.votes)
	s.group("VotesByTag", suite.votesByTag)
	s.group("Owned", suite.owned)
	s.group("Ballots", suite.ballots)
	s.group("Scan", suite.scan)
	s.group("Clock", suite.clock)
	s.group("Limits", suite.limits)
	s.group("Contexts", suite.contexts)
	s.group("Restart", suite.restart)
	s.group("Close", suite.close)
	s.group("Concurrency", suite.concurrency)
	s.group("Model", suite.model)
	if _, ok := fresh(t).Open(t).(CommitLoser); ok {
		s.group("LostCommit", suite.lostCommit)
	}
}

// suite registers subtests.
type suite struct {
	t     *testing.T
	fresh func(t *testing.T) Database
}

// group runs subtests under a common name.
func (s suite) group(name string, register func(suite)) {
	s.t.Run(name, func(t *testing.T) {
		register(suite{t: t, fresh: s.fresh})
	})
}

// test runs one subtest on a database of its own.
func (s suite) test(name string, run func(t *testing.T, db database)) {
	s.t.Run(name, func(t *testing.T) {
		run(t, database{db: s.fresh(t)})
	})
}

// database opens stores that are closed when the test ends.
type database struct{ db Database }

func (d database) open(t testing.TB) oponn.Store {
	t.Helper()
	store := d.db.Open(t)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}

// expect fails the test when err has another code; the empty code is success.
func expect(t TB, err error, code oponn.Code) {
	t.Helper()
	if got := oponn.CodeOf(err); got != code {
		t.Fatalf("got the code %q, want %q: %v", got, code, err)
	}
}

// expectRetryable fails the test unless err says when to try again.
func expectRetryable(t TB, err error) {
	t.Helper()
	if after := retryAfter(err); after <= 0 {
		t.Fatalf("the error has no RetryAfter: %v", err)
	}
}

func load(t TB, store oponn.Store, ballot oponn.BallotID) oponn.Record {
	t.Helper()
	record, err := store.Load(context.Background(), ballot)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return record
}
