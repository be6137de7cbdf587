package http

import (
	"context"
	"time"

	"github.com/oponn/oponn"
)

// Ballots is what the server needs of the runtime. It is safe for concurrent
// use. All errors are *oponn.Error.
type Ballots interface {
	// Create checks a draft and opens a ballot. The zero owner is none.
	Create(ctx context.Context, draft oponn.Draft, owner oponn.OwnerID) (oponn.Created, error)

	// Cast returns when the vote is committed. When that isn't known after a
	// time of its own, or when the context ends before, it returns
	// CodeOutcomeUnknown.
	Cast(ctx context.Context, cast oponn.Cast) (oponn.Receipt, error)

	// CastThen is Cast for whoever doesn't wait: told is called once, from
	// whatever goroutine and perhaps before CastThen returns, and must not block.
	// The end of the context is not looked at. With an error nothing was tried
	// and nothing will be told.
	CastThen(ctx context.Context, cast oponn.Cast, told func(oponn.Casting)) error

	// Result returns a ballot as it stands, at least at version after when the
	// store has that.
	Result(ctx context.Context, ballot oponn.BallotID, after uint64) (oponn.Snapshot, error)

	// Voted returns the receipt of a voter's last vote; nil for none.
	Voted(ctx context.Context, ballot oponn.BallotID, voter oponn.VoterID) (*oponn.Receipt, error)

	// Counting says whether the vote of a receipt counts. A receipt of nothing
	// is CodeNotFound.
	Counting(ctx context.Context, ballot oponn.BallotID, receipt string) (oponn.Counting, error)

	// NewCodes makes codes that let somebody vote. Who asks was checked before.
	NewCodes(ctx context.Context, ballot oponn.BallotID, count int) ([]oponn.VotingCode, error)

	// CountCodes returns how many codes a ballot has.
	CountCodes(ctx context.Context, ballot oponn.BallotID) (int, error)

	// Watch opens a stream: the viewer's sink gets frames, beats and its end
	// from there, until it says that it is done. The context is that of the
	// opening alone. With an error the sink is not used any more.
	Watch(ctx context.Context, ballot oponn.BallotID, viewer oponn.Viewer) (oponn.Stream, error)

	// Change changes a ballot. Who asks was checked before.
	Change(ctx context.Context, ballot oponn.BallotID, change oponn.Change) (oponn.Snapshot, error)

	// Owned returns a part of the list of an owner's ballots, at most limit. An
	// edge that is missing is CodeNotFound or CodeGone.
	Owned(ctx context.Context, owner oponn.OwnerID, edge oponn.Edge, limit int) (oponn.OwnedPage, error)

	// Beside returns the ballots of an owner that were created just before and
	// just after the given one; zeros for none.
	Beside(ctx context.Context, owner oponn.OwnerID, ballot oponn.BallotID) (before, after oponn.BallotID, err error)

	// JoinCode returns the code by which an open ballot that wants one is found;
	// empty for another.
	JoinCode(ctx context.Context, ballot oponn.Snapshot) (oponn.JoinCode, error)

	// Join returns the open ballot of a code; CodeNotFound for none.
	Join(ctx context.Context, code oponn.JoinCode) (oponn.BallotID, error)

	// Watching returns how many people watch a ballot, as of some seconds ago.
	Watching(ballot oponn.BallotID) int

	// Pace returns how the votes of a ballot came in.
	Pace(ctx context.Context, ballot oponn.Snapshot) (oponn.Pace, error)

	// Export begins an export of a ballot's votes. Who asks was checked before.
	Export(ctx context.Context, ballot oponn.BallotID) (*oponn.Export, error)

	// Now returns the store's clock.
	Now(ctx context.Context) (time.Time, error)
}
