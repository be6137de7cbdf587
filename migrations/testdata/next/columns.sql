-- +goose Up

-- What a next release might add, while this one goes on.
ALTER TABLE heads ADD COLUMN epoch integer DEFAULT 0;
ALTER TABLE votes ADD COLUMN weight integer NOT NULL DEFAULT 1;
ALTER TABLE votes ADD COLUMN channel text;

CREATE TABLE notes (
  ballot uuid  NOT NULL PRIMARY KEY,
  sealed bytea NOT NULL
);

CREATE INDEX notes_by_size ON notes (length(sealed));

-- +goose Down

-- loses no votes and no keys: the columns were never read.
DROP TABLE notes;
ALTER TABLE heads DROP COLUMN epoch;
ALTER TABLE votes DROP COLUMN channel, DROP COLUMN weight;
