-- +goose Up

-- Six digits that lead to an open ballot. A code that was released stays for a
-- day, and then until somebody else is given it.
CREATE TABLE join_codes (
  code        text NOT NULL PRIMARY KEY,
  ballot      uuid NOT NULL UNIQUE,
  released_at timestamptz -- null: the ballot has it
);

-- +goose Down

-- loses no votes and no keys: but the codes that stand on screens lead nowhere any more.
DROP TABLE join_codes;
