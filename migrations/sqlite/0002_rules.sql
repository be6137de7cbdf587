-- +goose Up

-- When a ballot's retention ends: null for those of the releases before, which
-- are kept for 90 days after their last change.
ALTER TABLE heads ADD COLUMN expires_at INTEGER;

-- The codes that let somebody vote, as tags: those their voters have in the log.
CREATE TABLE codes (
  ballot BLOB NOT NULL,
  tag    BLOB NOT NULL CHECK (length(tag) = 16),
  PRIMARY KEY (ballot, tag)
) STRICT, WITHOUT ROWID;

-- +goose Down

-- loses no votes and no keys: but codes that were handed out let nobody vote any more, and ballots are kept for ever.
DROP TABLE codes;
ALTER TABLE heads DROP COLUMN expires_at;
