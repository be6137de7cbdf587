// Package migrations holds the schema of each database as numbered SQL files,
// in the format of goose, embedded into the binary.
//
// The Up part of a file that has been released never changes; what is wrong
// with it is mended by the next one. While instances of two releases run side
// by side, the older one must work on the newer schema: expand in one release,
// contract in a later one. A file after the first that does more than expand
// says which migration made that safe: "-- contract: needed by no release since
// 0007".
//
// Both ways, a file of Postgres changes tables in the order in which a batch of
// votes locks them, heads before votes before write_ins: in another order the
// two would wait for each other, until the server ends one of them.
//
// An index on a table that has rows is made with CREATE INDEX CONCURRENTLY, in
// a file of its own that is marked "-- +goose NO TRANSACTION", drops what an
// earlier attempt left, and sets lock_timeout to 0: it waits for transactions,
// but nobody waits for it.
//
// The Down part undoes the Up part. If votes or keys go with it, a line in it
// tells people which, "-- loses: …", and it runs only for who insists.
package migrations

import (
	"embed"
	"io/fs"
	"time"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// Postgres returns the migrations of a Postgres database, at the root of the
// file system.
func Postgres() fs.FS { return sub("postgres") }

// SQLite returns the migrations of a SQLite database, at the root of the file
// system.
func SQLite() fs.FS { return sub("sqlite") }

func sub(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the name is a valid path
	}
	return sub
}

// Newest returns the number of the last migration of a database, given its
// files: they are numbered from 1 without gaps.
func Newest(files fs.FS) int64 { return int64(len(names(files))) }

// names returns the names of the files in their order.
func names(files fs.FS) []string {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		panic(err) // the pattern is well-formed
	}
	return names
}

// Migration is one step of a schema.
type Migration struct {
	Version int64
	// Name is its file's.
	Name string
	// AppliedAt is zero for one that is not applied.
	AppliedAt time.Time
}

// Status is how far a database has come.
type Status struct {
	// Migrations are those of this binary, in their order.
	Migrations []Migration
	// Schema is the number of the newest migration that is applied, 0 for none.
	// It is higher than that of the last of Migrations when a newer release has
	// migrated the database.
	Schema int64
}

// Newer says that a newer release has migrated the database.
func (s Status) Newer() bool { return s.Schema > int64(len(s.Migrations)) }
