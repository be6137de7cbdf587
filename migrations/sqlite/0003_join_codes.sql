-- +goose Up

-- Six digits that lead to an open ballot. A code that was released stays for a
-- day, and then until somebody else is given it.
CREATE TABLE join_codes (
  code        TEXT    NOT NULL PRIMARY KEY,
  ballot      BLOB    NOT NULL UNIQUE,
  released_at INTEGER -- null: the ballot has it
) STRICT, WITHOUT ROWID;

-- +goose Down

-- loses no votes and no keys: but the codes that stand on screens lead nowhere any more.
DROP TABLE join_codes;
