// Package postgres keeps ballots and votes in a Postgres database that any
// number of instances share.
//
// A transaction that writes takes two round trips. The first one begins it,
// locks the heads of its ballots in the order of ids, and then reads, as
// statements of their own, the clock and what the voters have in the log: at
// READ COMMITTED each statement sees all that was committed before it began,
// so these see what those did for whose locks it waited. The second one writes
// and commits (https://www.postgresql.org/docs/current/protocol-flow.html,
// "Pipelining").
//
// From the moment COMMIT has been sent until its answer has come, the outcome
// is unknown: no context ends this wait, nothing cancels it, and only the
// command tag COMMIT counts as success.
//
// Where a standby may take over, a store keeps to the newest timeline that it
// has met, and looks at all hosts of its URL for a newer one.
package postgres
