-- +goose Up

-- Numbers that only rise, one for each kind of work that one instance at a
-- time does: who comes with a lower one has lost the lock.
CREATE TABLE fences (
  name   text   NOT NULL PRIMARY KEY,
  number bigint NOT NULL
);

-- +goose Down

-- loses no votes and no keys: nobody holds a lock of a release that knows none.
DROP TABLE fences;
