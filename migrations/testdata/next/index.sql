-- +goose NO TRANSACTION
-- +goose Up

SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS votes_by_time;
CREATE INDEX CONCURRENTLY votes_by_time ON votes (at);

-- +goose Down

SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS votes_by_time;
