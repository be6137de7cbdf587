package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oponn/oponn"
)

// head reads a ballot's head and when it last moved. A missing one is
// CodeNotFound or CodeGone.
func (c *connection) head(ballot oponn.BallotID) (head oponn.Head, moved time.Time, err error) {
	found := false
	err = c.rows(selectHead, func(row *sqlite3.Stmt) error {
		found = true
		head = oponn.Head{Ballot: ballot, Version: unsigned(row, 0), Position: unsigned(row, 1), Voters: unsigned(row, 2),
			WriteIns: row.ColumnInt(3), Sealed: row.ColumnBlob(4, nil)}
		moved = instant(row, 5)
		if row.ColumnType(6) != sqlite3.NULL {
			head.ExpiresAt = instant(row, 6)
		}
		return nil
	}, ballot[:])
	if err == nil && !found {
		err = c.missing(ballot)
	}
	return head, moved, err
}

// missing returns why there is no such ballot.
func (c *connection) missing(ballot oponn.BallotID) error {
	deleted := false
	err := c.rows(selectTombstone, func(*sqlite3.Stmt) error {
		deleted = true
		return nil
	}, ballot[:])
	switch {
	case err != nil:
		return err
	case deleted:
		return oponn.Errorf(oponn.CodeGone, "This ballot was deleted.")
	default:
		return oponn.Errorf(oponn.CodeNotFound, "There is no such ballot.")
	}
}

func (c *connection) insertHead(head oponn.Head, at time.Time) error {
	return c.exec(insertHead, head.Ballot[:], signed(head.Version), signed(head.Position), signed(head.Voters), head.WriteIns, head.Sealed, at.UnixMicro(), expiry(head))
}

func (c *connection) updateHead(head oponn.Head, at time.Time) error {
	return c.exec(updateHead, signed(head.Version), signed(head.Position), signed(head.Voters), head.WriteIns, head.Sealed, at.UnixMicro(), expiry(head), head.Ballot[:])
}

// expiry returns when a head's retention ends, null for not known.
func expiry(head oponn.Head) any {
	if head.ExpiresAt.IsZero() {
		return nil
	}
	return head.ExpiresAt.UnixMicro()
}

// votes reads what a voter has in the log of a ballot, by revision.
func (c *connection) votes(ballot oponn.BallotID, tag oponn.VoterTag) (votes []oponn.LoggedVote, err error) {
	err = c.rows(selectVotes, func(row *sqlite3.Stmt) error {
		votes = append(votes, loggedVote(row))
		return nil
	}, ballot[:], tag[:])
	return votes, err
}

// loggedVote reads a row of selectVotes or selectLog.
func loggedVote(row *sqlite3.Stmt) oponn.LoggedVote {
	return oponn.LoggedVote{
		Tag:      oponn.VoterTag(row.ColumnRawBlob(0)),
		Revision: uint32(row.ColumnInt64(1)),
		ID:       oponn.VoteID(row.ColumnRawBlob(2)),
		Position: unsigned(row, 3),
		Version:  unsigned(row, 4),
		At:       instant(row, 5),
		Sealed:   row.ColumnBlob(6, nil),
	}
}

func (c *connection) insertVote(ballot oponn.BallotID, v oponn.LoggedVote) error {
	err := c.exec(insertVote, ballot[:], v.Tag[:], int64(v.Revision), v.ID[:], signed(v.Position), signed(v.Version), v.At.UnixMicro(), v.Sealed)
	if errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) {
		return fmt.Errorf("%w: %w", errVotedBefore, err)
	}
	return err
}

// writeIns reads a ballot's write-ins with numbers above the given one.
func (c *connection) writeIns(ballot oponn.BallotID, above int) (writeIns []oponn.SealedWriteIn, err error) {
	err = c.rows(selectWriteIns, func(row *sqlite3.Stmt) error {
		writeIns = append(writeIns, oponn.SealedWriteIn{Number: row.ColumnInt(0), ID: oponn.OptionID(row.ColumnText(1)), Sealed: row.ColumnBlob(2, nil)})
		return nil
	}, ballot[:], above)
	return writeIns, err
}

// ids reads a column of ballot ids.
func (c *connection) ids(q query, args ...any) (ids []oponn.BallotID, err error) {
	err = c.rows(q, func(row *sqlite3.Stmt) error {
		ids = append(ids, oponn.BallotID(row.ColumnRawBlob(0)))
		return nil
	}, args...)
	return ids, err
}

// SQLite's integers are signed. Versions, positions and voters, counted from
// 1, never come near the difference.

func signed(n uint64) int64 { return int64(n) }

func unsigned(row *sqlite3.Stmt, column int) uint64 { return uint64(row.ColumnInt64(column)) }

func instant(row *sqlite3.Stmt, column int) time.Time {
	return time.UnixMicro(row.ColumnInt64(column)).UTC()
}
