package sqlite

// query names a statement. Connections prepare it at its first use.
type query int

const (
	beginWriting query = iota
	beginReading
	commit
	rollback
	selectTombstone
	selectHead
	updateHead
	insertHead
	deleteHead
	selectExpired
	selectVotes
	selectByTag
	selectLog
	insertVote
	selectWriteIns
	insertWriteIn
	deleteWriteIns
	insertCode
	selectCode
	countCodes
	selectTags
	deleteCodes
	selectJoinCode
	claimJoinCode
	reviveJoinCode
	selectJoined
	releaseJoinCode
	selectPace
	insertBallot
	updateDefinition
	selectBallot
	updateKey
	deleteBallot
	selectCreated
	selectOwned
	selectOwnedAfter
	selectBallots
	insertTombstone
	selectUnswept
	deleteVotes
	updateSwept
	selectSchema
	numQueries
)

var queries = [numQueries]string{
	beginWriting: "BEGIN IMMEDIATE",
	beginReading: "BEGIN",
	commit:       "COMMIT",
	rollback:     "ROLLBACK",

	selectHead: "SELECT version, position, voters, write_ins, sealed, moved_at, expires_at FROM heads WHERE ballot = ?",
	insertHead: "INSERT INTO heads (ballot, version, position, voters, write_ins, sealed, moved_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	updateHead: "UPDATE heads SET version = ?, position = ?, voters = ?, write_ins = ?, sealed = ?, moved_at = ?, expires_at = ? WHERE ballot = ?",
	deleteHead: "DELETE FROM heads WHERE ballot = ?",

	selectExpired: "SELECT ballot FROM heads WHERE coalesce(expires_at, moved_at + ?) <= ? LIMIT ?",

	insertCode:  "INSERT OR IGNORE INTO codes (ballot, tag) VALUES (?, ?)",
	selectCode:  "SELECT 1 FROM codes WHERE ballot = ? AND tag = ?",
	countCodes:  "SELECT count(*) FROM codes WHERE ballot = ?",
	selectTags:  "SELECT tag FROM codes WHERE ballot = ?",
	deleteCodes: "DELETE FROM codes WHERE (ballot, tag) IN (SELECT ballot, tag FROM codes WHERE ballot = ? LIMIT ?) RETURNING 1",

	selectJoinCode: "SELECT code FROM join_codes WHERE ballot = ? AND released_at IS NULL",
	reviveJoinCode: "UPDATE join_codes SET released_at = NULL WHERE ballot = ? RETURNING code",
	claimJoinCode: `INSERT INTO join_codes (code, ballot) VALUES (?, ?)
		ON CONFLICT (code) DO UPDATE SET ballot = excluded.ballot, released_at = NULL WHERE released_at <= ? RETURNING code`,
	selectJoined:    "SELECT ballot FROM join_codes WHERE code = ? AND released_at IS NULL",
	releaseJoinCode: "UPDATE join_codes SET released_at = ? WHERE ballot = ? AND released_at IS NULL",

	selectPace: "SELECT max(0, (at - ?) / ?) AS slot, count(*) FROM votes WHERE ballot = ? AND revision = 1 GROUP BY slot",

	selectVotes: "SELECT tag, revision, vote_id, position, version, at, sealed FROM votes WHERE ballot = ? AND tag = ? ORDER BY revision",
	selectByTag: "SELECT tag, revision, vote_id, position, version, at, sealed FROM votes WHERE ballot = ? AND (tag, revision) > (?, ?) ORDER BY tag, revision LIMIT ?",
	selectLog:   "SELECT tag, revision, vote_id, position, version, at, sealed FROM votes WHERE ballot = ? ORDER BY position",
	insertVote:  "INSERT INTO votes (ballot, tag, revision, vote_id, position, version, at, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	deleteVotes: "DELETE FROM votes WHERE (ballot, tag, revision) IN (SELECT ballot, tag, revision FROM votes WHERE ballot = ? LIMIT ?) RETURNING 1",

	selectWriteIns: "SELECT number, id, sealed FROM write_ins WHERE ballot = ? AND number > ? ORDER BY number",
	insertWriteIn:  "INSERT INTO write_ins (ballot, number, id, sealed) VALUES (?, ?, ?, ?)",
	deleteWriteIns: "DELETE FROM write_ins WHERE ballot = ?",

	insertBallot:     "INSERT INTO ballots (id, created_at, owner, owner_key, kek, wrapped_dek, commitment, definition) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	updateDefinition: "UPDATE ballots SET definition = ? WHERE id = ?",
	updateKey:        "UPDATE ballots SET kek = ?, wrapped_dek = ?, commitment = ? WHERE id = ?",
	selectBallot:     "SELECT created_at, owner, owner_key, kek, wrapped_dek, commitment, definition FROM ballots WHERE id = ?",
	deleteBallot:     "DELETE FROM ballots WHERE id = ?",
	selectCreated:    "SELECT created_at FROM ballots WHERE id = ?",
	selectOwned:      "SELECT id FROM ballots WHERE owner = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?",
	selectOwnedAfter: "SELECT id FROM ballots WHERE owner = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?",
	selectBallots:    "SELECT id FROM ballots WHERE id > ? ORDER BY id LIMIT ?",

	selectTombstone: "SELECT at FROM tombstones WHERE ballot = ?",
	insertTombstone: "INSERT INTO tombstones (ballot, at) VALUES (?, ?)",
	selectUnswept:   "SELECT ballot FROM tombstones WHERE swept = 0 LIMIT 1",
	updateSwept:     "UPDATE tombstones SET swept = 1 WHERE ballot = ?",

	selectSchema: "SELECT max(version_id) FROM goose_db_version",
}
