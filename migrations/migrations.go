// Package migrations holds the schema of each database as numbered SQL files,
// in the format of goose, embedded into the binary. A file that has been
// released never changes; what is wrong with it is mended by the next one.
//
// While instances of two releases run side by side, the older one must work on
// the newer schema: expand in one release, contract in a later one. There is
// no way down.
package migrations

import (
	"embed"
	"io/fs"
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
