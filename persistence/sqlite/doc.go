// Package sqlite keeps ballots and votes in one SQLite file: the store of an
// instance that runs alone.
//
// One connection writes, a few read. Every transaction that writes begins with
// BEGIN IMMEDIATE, so that what it reads is still true when it commits, and is
// on the disk before it is acknowledged (write-ahead log, synchronous=FULL;
// https://sqlite.org/wal.html). Deleted bytes are overwritten (secure_delete),
// and after the deletion of a ballot the write-ahead log is emptied, so that
// its wrapped key is nowhere in the files.
package sqlite
