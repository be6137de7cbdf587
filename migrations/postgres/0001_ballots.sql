-- +goose Up

-- Whatever tells what somebody asked or chose is sealed: compressing it would
-- be in vain, hence EXTERNAL. Every key leads with the ballot, so that a log
-- can be split by ballots one day. Rows of a ballot go together, in one
-- transaction that leaves a tombstone, and its log by and by afterwards;
-- foreign keys would forbid that and cost every vote a look-up.

CREATE TABLE ballots (
  id          uuid        NOT NULL PRIMARY KEY,
  created_at  timestamptz NOT NULL,
  owner       bytea                CHECK (length(owner) = 32), -- null: nobody finds it by its owner
  owner_key   bytea       NOT NULL CHECK (length(owner_key) = 32),
  kek         text        NOT NULL,
  wrapped_dek bytea       NOT NULL,
  commitment  bytea       NOT NULL,
  definition  bytea       NOT NULL
);

ALTER TABLE ballots ALTER COLUMN definition SET STORAGE EXTERNAL;

CREATE INDEX ballots_by_owner ON ballots (owner, created_at, id) WHERE owner IS NOT NULL;

-- A hot ballot's head is written again and again: half of each page is left
-- free for its next versions (HOT updates touch no index), a state of some
-- kilobytes stays in its row, and vacuum comes by the number of updates,
-- however many ballots there are.
CREATE TABLE heads (
  ballot    uuid        NOT NULL PRIMARY KEY,
  version   bigint      NOT NULL,
  position  bigint      NOT NULL,
  voters    bigint      NOT NULL,
  write_ins integer     NOT NULL,
  moved_at  timestamptz NOT NULL, -- the ballot's clock never goes back behind it
  sealed    bytea       NOT NULL
) WITH (fillfactor = 50, toast_tuple_target = 4080,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

ALTER TABLE heads ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- The log. The rows of a batch lie side by side in its key, because positions
-- are given in the order of tags. Every further unique index on random values
-- would cost a vote a third of what it costs now; a BRIN index costs nearly
-- nothing. Vacuum and analyze come early, since the table only grows.
CREATE TABLE votes (
  ballot   uuid        NOT NULL,
  tag      uuid        NOT NULL,
  vote_id  uuid        NOT NULL,
  position bigint      NOT NULL,
  version  bigint      NOT NULL,
  at       timestamptz NOT NULL,
  revision integer     NOT NULL,
  sealed   bytea       NOT NULL,
  PRIMARY KEY (ballot, tag, revision)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

ALTER TABLE votes ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE INDEX votes_by_position ON votes USING brin (position) WITH (autosummarize = on);

CREATE TABLE write_ins (
  ballot uuid    NOT NULL,
  number integer NOT NULL,
  id     text    NOT NULL,
  sealed bytea   NOT NULL,
  PRIMARY KEY (ballot, number),
  UNIQUE (ballot, id)
);

ALTER TABLE write_ins ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE tombstones (
  ballot uuid        NOT NULL PRIMARY KEY,
  at     timestamptz NOT NULL,
  swept  boolean     NOT NULL DEFAULT false -- its log is gone too
);

CREATE INDEX tombstones_to_sweep ON tombstones (ballot) WHERE NOT swept;

-- +goose Down

-- loses: every ballot with its votes, its results and its wrapped key
DROP TABLE ballots, heads, votes, write_ins, tombstones;
