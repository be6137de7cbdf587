package migrations

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// ErrNoneApplied is about a database without a schema.
var ErrNoneApplied = errors.New("no migration is applied: there is nothing to undo")

// NewerError is about a schema that a newer release has made: only that one
// knows how to undo it.
type NewerError struct {
	Schema int64 // the newest migration that is applied
	Known  int64 // the newest migration of this binary
}

// Error names both versions.
func (e *NewerError) Error() string {
	return fmt.Sprintf("the database has the schema %d and is newer than this binary, which knows up to %d: "+
		"the release that made it has to undo it", e.Schema, e.Known)
}

// LossError is about a migration that takes votes or keys along when it is
// undone.
type LossError struct {
	Name  string // of its file
	Loses string // what would be lost, for people
}

// Error names what would be lost.
func (e *LossError) Error() string {
	return fmt.Sprintf("undoing %s would destroy %s", e.Name, e.Loses)
}

// Undoable returns nil when the newest migration of a database may be undone:
// its files and the number of its schema are given, and whether the data may go
// too. Errors are ErrNoneApplied, NewerError and LossError.
func Undoable(files fs.FS, schema int64, dropData bool) error {
	names := names(files)
	switch known := int64(len(names)); {
	case schema > known:
		return &NewerError{Schema: schema, Known: known}
	case schema < 1:
		return ErrNoneApplied
	}
	name := names[schema-1]
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if what := loses(string(text)); what != "" && !dropData {
		return &LossError{Name: name, Loses: what}
	}
	return nil
}

// loses returns what a migration says it loses on its way down.
func loses(text string) string {
	_, down, _ := strings.Cut(text, "-- +goose Down")
	for line := range strings.Lines(down) {
		if what, found := strings.CutPrefix(strings.TrimSpace(line), "-- loses: "); found {
			return what
		}
	}
	return ""
}
