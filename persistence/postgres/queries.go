package postgres

import (
	"strconv"

	"github.com/oponn/oponn"
)

// query names a statement. Every connection prepares all of them when it is
// opened, in one round trip, under their numbers.
type query int

const (
	begin query = iota
	beginSnapshot
	commit
	rollback
	lockHeads
	selectHeads
	selectExpired
	selectNow
	selectEarlier
	selectNewer
	selectTombstones
	selectVotes
	selectByTag
	selectWriteIns
	insertVotes
	insertWriteIns
	updateHeads
	moveHeads
	insertCodes
	selectCodes
	countCodes
	selectTags
	deleteCodes
	selectJoinCode
	claimJoinCode
	reviveJoinCode
	selectJoined
	releaseJoinCodes
	selectPace
	insertBallot
	updateDefinitions
	insertHead
	selectRecord
	updateKey
	selectCreated
	selectOwned
	selectOwnedAfter
	selectBallots
	deleteBallots
	deleteHeads
	deleteWriteIns
	insertTombstones
	selectUnswept
	lockUnswept
	deleteVotes
	updateSwept
	declareLog
	selectSettings
	raiseFence
	selectFence
	limitTransaction
	numQueries
)

const (
	headColumns   = "ballot, version, position, voters, write_ins, sealed, moved_at, expires_at"
	voteColumns   = "tag, revision, vote_id, position, version, at, sealed"
	recordColumns = "b.created_at, b.owner, b.owner_key, b.kek, b.wrapped_dek, b.commitment, b.definition"
	headOfRecord  = "h.ballot, h.version, h.position, h.voters, h.write_ins, h.sealed, h.moved_at, h.expires_at"
)

// Arrays come as one parameter each and are taken apart by unnest. A lateral
// subquery with OFFSET 0 is not flattened: the planner can only probe the
// index once for each row, whatever it thinks of the table.
var queries = [numQueries]string{
	begin:         "begin isolation level read committed read write",
	beginSnapshot: "begin isolation level repeatable read read only",
	commit:        "commit",
	rollback:      "rollback",

	lockHeads:   "select " + headColumns + " from heads where ballot = any($1::uuid[]) order by ballot for update",
	selectHeads: "select " + headColumns + " from heads where ballot = any($1::uuid[])",
	updateHeads: `update heads set version = t.version, position = t.position, voters = t.voters, write_ins = t.write_ins, sealed = t.sealed, moved_at = t.moved_at,
		expires_at = t.expires_at
		from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::bytea[], $7::timestamptz[], $8::timestamptz[])
		t(ballot, version, position, voters, write_ins, sealed, moved_at, expires_at) where heads.ballot = t.ballot`,
	// Heads that are as they were taken to be. Rows are taken in the order of
	// the arrays; one for which it waited is looked at again, and the clock is
	// read when the row is held. Dividing by zero ends a transaction in which
	// not all of them are, or in which it is too early or too late.
	moveHeads: `with moved as (update heads set version = t.version, position = t.position, voters = t.voters, write_ins = t.write_ins, sealed = t.sealed,
		moved_at = t.moved_at, expires_at = t.expires_at
		from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::bytea[], $7::timestamptz[], $8::timestamptz[], $9::bigint[], $10::int[], $11::timestamptz[])
		t(ballot, version, position, voters, write_ins, sealed, moved_at, expires_at, position_before, write_ins_before, until)
		where heads.ballot = t.ballot and heads.version = t.version - 1 and heads.position = t.position_before
			and heads.write_ins = t.write_ins_before and heads.moved_at <= t.moved_at
		returning clock_timestamp() as now, t.moved_at as at, t.until)
		select max(now), 1 / (count(*) = cardinality($1::uuid[]) and bool_and(at <= now and now < until))::int from moved`,
	insertHead:  "insert into heads (" + headColumns + ") values ($1::uuid, $2::bigint, $3::bigint, $4::bigint, $5::int, $6::bytea, $7::timestamptz, $8::timestamptz)",
	deleteHeads: "delete from heads where ballot = any($1::uuid[])",

	// Ballots of a release that knew of no retention are kept for 90 days after
	// their last change.
	selectExpired: "select ballot from heads where coalesce(expires_at, moved_at + interval '90 days') <= clock_timestamp() limit $1::bigint",

	selectNow: "select clock_timestamp()",
	selectEarlier: `select t.n, v.* from unnest($1::uuid[], $2::uuid[]) with ordinality t(ballot, tag, n) cross join lateral
		(select ` + voteColumns + ` from votes where ballot = t.ballot and tag = t.tag offset 0) v`,
	selectVotes: "select " + voteColumns + " from votes where ballot = $1::uuid and tag = $2::uuid order by revision",
	selectByTag: "select " + voteColumns + ` from votes where ballot = $1::uuid and (tag, revision) > ($2::uuid, $3::int)
		order by tag, revision limit ` + strconv.Itoa(oponn.VotesPage),
	insertVotes: `insert into votes (ballot, ` + voteColumns + `)
		select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::bytea[])`,
	declareLog:  "declare log no scroll cursor for select " + voteColumns + " from votes where ballot = $1::uuid order by position",
	deleteVotes: "delete from votes where ctid = any(array(select ctid from votes where ballot = $1::uuid limit $2::bigint))",

	selectNewer: `select t.n, w.* from unnest($1::uuid[], $2::int[]) with ordinality t(ballot, above, n) cross join lateral
		(select number, id, sealed from write_ins where ballot = t.ballot and number > t.above order by number offset 0) w`,
	selectWriteIns: "select ballot, number, id, sealed from write_ins where ballot = any($1::uuid[]) order by ballot, number",
	insertWriteIns: "insert into write_ins (ballot, number, id, sealed) select * from unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[])",
	deleteWriteIns: "delete from write_ins where ballot = any($1::uuid[])",

	insertCodes: "insert into codes (ballot, tag) select $1::uuid, * from unnest($2::uuid[]) on conflict do nothing",
	selectCodes: `select t.n from unnest($1::uuid[], $2::uuid[]) with ordinality t(ballot, tag, n) cross join lateral
		(select from codes where ballot = t.ballot and tag = t.tag offset 0) c`,
	countCodes:  "select count(*) from codes where ballot = $1::uuid",
	selectTags:  "select tag from codes where ballot = $1::uuid",
	deleteCodes: "delete from codes where ctid = any(array(select ctid from codes where ballot = $1::uuid limit $2::bigint))",

	selectJoinCode: "select code from join_codes where ballot = $1::uuid and released_at is null",
	reviveJoinCode: "update join_codes set released_at = null where ballot = $1::uuid returning code",
	// The first one that is free, by a single insert: others may be taken in
	// the same moment.
	claimJoinCode: `insert into join_codes (code, ballot) values ($1::text, $2::uuid)
		on conflict (code) do update set ballot = excluded.ballot, released_at = null
		where join_codes.released_at <= clock_timestamp() - interval '24 hours' returning code`,
	selectJoined:     "select ballot from join_codes where code = $1::text and released_at is null",
	releaseJoinCodes: "update join_codes set released_at = clock_timestamp() where ballot = any($1::uuid[]) and released_at is null",

	// The log of one ballot, which is what its primary key begins with.
	selectPace: `select greatest(0, floor(extract(epoch from at - $2::timestamptz) / $3::bigint))::bigint slot, count(*)
		from votes where ballot = $1::uuid and revision = 1 group by slot`,

	updateDefinitions: "update ballots set definition = t.definition from unnest($1::uuid[], $2::bytea[]) t(id, definition) where ballots.id = t.id",
	insertBallot: `insert into ballots (id, created_at, owner, owner_key, kek, wrapped_dek, commitment, definition)
		values ($1::uuid, clock_timestamp(), $2::bytea, $3::bytea, $4::text, $5::bytea, $6::bytea, $7::bytea) returning created_at`,
	updateKey: `update ballots set kek = $2::text, wrapped_dek = $3::bytea, commitment = $4::bytea
		where id = $1::uuid and kek = $5::text and wrapped_dek = $6::bytea and commitment = $7::bytea returning id`,
	selectRecord: "select " + headOfRecord + ", " + recordColumns + " from heads h join ballots b on b.id = h.ballot where h.ballot = $1::uuid",
	selectOwned: "select " + headOfRecord + ", " + recordColumns + ` from ballots b join heads h on h.ballot = b.id
		where b.owner = $1::bytea and (b.created_at, b.id) < ($2::timestamptz, $3::uuid) order by b.created_at desc, b.id desc limit $4::bigint`,
	selectOwnedAfter: "select " + headOfRecord + ", " + recordColumns + ` from ballots b join heads h on h.ballot = b.id
		where b.owner = $1::bytea and (b.created_at, b.id) > ($2::timestamptz, $3::uuid) order by b.created_at, b.id limit $4::bigint`,
	selectCreated: "select created_at from ballots where id = $1::uuid",
	selectBallots: "select id from ballots where id > $1::uuid order by id limit $2::bigint",
	deleteBallots: "delete from ballots where id = any($1::uuid[])",

	raiseFence:  "insert into fences (name, number) values ($1::text, 1) on conflict (name) do update set number = fences.number + 1 returning number",
	selectFence: "select number from fences where name = $1::text",

	selectTombstones: "select ballot from tombstones where ballot = any($1::uuid[])",
	insertTombstones: "insert into tombstones (ballot, at) select * from unnest($1::uuid[], $2::timestamptz[])",
	selectUnswept:    "select ballot from tombstones where not swept limit 1",
	lockUnswept:      "select ballot from tombstones where not swept order by ballot limit 1 for update skip locked",
	updateSwept:      "update tombstones set swept = true where ballot = $1::uuid",

	selectSettings: "select current_setting('fsync'), current_setting('synchronous_commit')",
	// Postgres 17 can limit a whole transaction.
	limitTransaction: "select set_config('transaction_timeout', '12s', false) where current_setting('server_version_num')::int >= 170000",
}
