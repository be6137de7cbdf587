package migrations_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/oponn/oponn/migrations"
)

func TestUndoable(t *testing.T) {
	file := func(down string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("-- +goose Up\n-- loses: nothing, on the way up\nSELECT 1;\n\n-- +goose Down\n" + down)}
	}
	files := fstest.MapFS{"0001_votes.sql": file("-- loses: every vote\nDROP TABLE votes;\n"), "0002_more.sql": file("DROP TABLE more;\n")}
	for name, test := range map[string]struct {
		schema int64
		drop   bool
		want   string // the error; none: it may be undone
	}{
		"none is applied":            {0, true, migrations.ErrNoneApplied.Error()},
		"it takes votes along":       {1, false, "undoing 0001_votes.sql would destroy every vote"},
		"they may go":                {1, true, ""},
		"it takes nothing along":     {2, false, ""},
		"a newer release has been":   {3, false, "the database has the schema 3 and is newer than this binary, which knows up to 2: the release that made it has to undo it"},
		"and whoever insists is not": {4, true, "the database has the schema 4 and is newer than this binary, which knows up to 2: the release that made it has to undo it"},
	} {
		t.Run(name, func(t *testing.T) {
			err := migrations.Undoable(files, test.schema, test.drop)
			if (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	var newer *migrations.NewerError
	if err := migrations.Undoable(files, 7, false); !errors.As(err, &newer) || newer.Schema != 7 || newer.Known != 2 {
		t.Errorf("got %+v", newer)
	}
}
