package storetest

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/oponn/oponn"
)

func retryAfter(err error) time.Duration {
	var e *oponn.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

func sameHead(a, b oponn.Head) bool {
	return a.Ballot == b.Ballot && a.Version == b.Version && a.Position == b.Position &&
		a.Voters == b.Voters && a.WriteIns == b.WriteIns &&
		a.ExpiresAt.Equal(b.ExpiresAt) && bytes.Equal(a.Sealed, b.Sealed)
}

func sameVote(a, b oponn.LoggedVote) bool {
	return a.Tag == b.Tag && a.Revision == b.Revision && a.ID == b.ID && a.Position == b.Position &&
		a.Version == b.Version && a.At.Equal(b.At) && bytes.Equal(a.Sealed, b.Sealed)
}

func sameWriteIn(a, b oponn.SealedWriteIn) bool {
	return a.Number == b.Number && a.ID == b.ID && bytes.Equal(a.Sealed, b.Sealed)
}

func sameKey(a, b oponn.WrappedKey) bool {
	return a.KEK == b.KEK && bytes.Equal(a.Blob, b.Blob) && bytes.Equal(a.Commitment, b.Commitment)
}

// expectRecord fails the test when two records differ.
func expectRecord(t TB, got, want oponn.Record) {
	t.Helper()
	same := got.Ballot == want.Ballot && got.CreatedAt.Equal(want.CreatedAt) && got.OwnerKey == want.OwnerKey &&
		got.Owner == want.Owner && sameKey(got.Key, want.Key) && bytes.Equal(got.Definition, want.Definition) &&
		sameHead(got.Head, want.Head) && slices.EqualFunc(got.WriteIns, want.WriteIns, sameWriteIn)
	if !same {
		t.Fatalf("the record is\n%+v, want\n%+v", got, want)
	}
}

// expectVotes fails the test when two logs differ.
func expectVotes(t TB, got, want []oponn.LoggedVote) {
	t.Helper()
	if !slices.EqualFunc(got, want, sameVote) {
		t.Fatalf("the votes are\n%+v, want\n%+v", got, want)
	}
}

// expectHead fails the test when two heads differ.
func expectHead(t TB, got, want oponn.Head) {
	t.Helper()
	if !sameHead(got, want) {
		t.Fatalf("the head is\n%+v, want\n%+v", got, want)
	}
}
