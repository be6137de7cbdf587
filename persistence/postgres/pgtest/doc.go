// Package pgtest gives tests real Postgres databases.
//
// URL gives a test its own database, cloned from a migrated template on one
// server per test process. The server is the first of these that holds: the
// one that OPONN_TEST_DATABASE_URL names (not to reach it is a failure), a
// container of a Docker engine that answers, the binaries of this machine.
// Whatever was started ends with the test process, also when that is killed.
//
// NewServer starts a server of a test's own, which it may stop and kill, and
// NewProxy puts a wire between store and server that can be cut.
package pgtest
