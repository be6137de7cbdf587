-- +goose Up

-- When a ballot's retention ends: null for those of the releases before, which
-- are kept for 90 days after their last change. It has no index: that would
-- make every update of a head touch one.
ALTER TABLE heads ADD COLUMN expires_at timestamptz;

-- The codes that let somebody vote, as tags: those their voters have in the log.
CREATE TABLE codes (
  ballot uuid NOT NULL,
  tag    uuid NOT NULL,
  PRIMARY KEY (ballot, tag)
);

-- +goose Down

-- loses no votes and no keys: but codes that were handed out let nobody vote any more, and ballots are kept for ever.
DROP TABLE codes;
ALTER TABLE heads DROP COLUMN expires_at;
