// Package migrations holds the schema of each database as numbered SQL files,
// in the format of goose, embedded into the binary. A file that has been
// released never changes; what is wrong with it is mended by the next one.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql
var files embed.FS

// SQLite returns the migrations of a SQLite database, at the root of the file
// system.
func SQLite() fs.FS {
	sub, err := fs.Sub(files, "sqlite")
	if err != nil {
		panic(err) // the name is a valid path
	}
	return sub
}
