package postgres

import (
	"encoding/binary"
	"time"

	"github.com/oponn/oponn"
)

// row is a row of results; it is valid until the next one is read. Types are
// those of the queries, so that nothing is checked here.
type row [][]byte

func (r row) bigint(column int) int64      { return int64(binary.BigEndian.Uint64(r[column])) }
func (r row) integer(column int) int       { return int(int32(binary.BigEndian.Uint32(r[column]))) }
func (r row) text(column int) string       { return string(r[column]) }
func (r row) blob(column int) []byte       { return append([]byte{}, r[column]...) }
func (r row) instant(column int) time.Time { return time.UnixMicro(r.bigint(column) + epoch).UTC() }

// ballot reads the ballot that a row begins with.
func (r row) ballot() oponn.BallotID { return oponn.BallotID(r[0]) }

// Postgres' integers are signed. Versions, positions and voters, counted from
// 1, never come near the difference.

func signed(n uint64) int64 { return int64(n) }

func (r row) unsigned(column int) uint64 { return uint64(r.bigint(column)) }

// head reads headColumns.
func (r row) head() oponn.Head {
	return oponn.Head{Ballot: r.ballot(), Version: r.unsigned(1), Position: r.unsigned(2), Voters: r.unsigned(3),
		WriteIns: r.integer(4), Sealed: r.blob(5), ExpiresAt: r.expiry()}
}

// moved reads when a head of headColumns last moved.
func (r row) moved() time.Time { return r.instant(6) }

// expiry reads when a head's retention ends; zero for null.
func (r row) expiry() time.Time {
	if r[7] == nil {
		return time.Time{}
	}
	return r.instant(7)
}

// vote reads voteColumns.
func (r row) vote() oponn.LoggedVote {
	return oponn.LoggedVote{Tag: oponn.VoterTag(r[0]), Revision: uint32(r.integer(1)), ID: oponn.VoteID(r[2]),
		Position: r.unsigned(3), Version: r.unsigned(4), At: r.instant(5), Sealed: r.blob(6)}
}

// writeIn reads number, id and sealed label.
func (r row) writeIn() oponn.SealedWriteIn {
	return oponn.SealedWriteIn{Number: r.integer(0), ID: oponn.OptionID(r.text(1)), Sealed: r.blob(2)}
}

// record reads headOfRecord and recordColumns: all but the write-ins.
func (r row) record() oponn.Record {
	record := oponn.Record{Ballot: r.ballot(), Head: r.head(), CreatedAt: r.instant(8)}
	copy(record.Owner[:], r[9]) // null leaves zeros
	copy(record.OwnerKey[:], r[10])
	record.Key = oponn.WrappedKey{KEK: r.text(11), Blob: r.blob(12), Commitment: r.blob(13)}
	record.Definition = r.blob(14)
	return record
}
