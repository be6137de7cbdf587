package migrations_test

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/oponn/oponn/migrations"
)

// read returns the text of each file.
func read(t *testing.T, files fs.FS) map[string]string {
	t.Helper()
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("found %v: %v", names, err)
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

func TestFiles(t *testing.T) {
	for database, files := range map[string]fs.FS{"postgres": migrations.Postgres(), "sqlite": migrations.SQLite()} {
		t.Run(database+" are numbered without gaps", func(t *testing.T) {
			names, err := fs.Glob(files, "*.sql")
			if err != nil || len(names) == 0 {
				t.Fatalf("found %v: %v", names, err)
			}
			for i, name := range names {
				if number := regexp.MustCompile(`^(\d{4})_[a-z_]+\.sql$`).FindStringSubmatch(name); number == nil || number[1] != fmt.Sprintf("%04d", i+1) {
					t.Errorf("%s is not number %d", name, i+1)
				}
			}
		})
		t.Run(database+" lead up and down, and say what is lost on the way down", func(t *testing.T) {
			for name, text := range read(t, files) {
				up, down, found := strings.Cut(text, "\n-- +goose Down\n")
				if !found || !strings.Contains(up, "-- +goose Up\n") || strings.TrimSpace(down) == "" {
					t.Errorf("%s leads not both ways", name)
				}
				if strings.Contains(down, "DROP TABLE") || strings.Contains(down, "DROP COLUMN") {
					if !regexp.MustCompile(`(?m)^-- loses(:| no votes and no keys: ).+$`).MatchString(down) {
						t.Errorf("%s does not say what is lost on the way down", name)
					}
				}
			}
		})
		t.Run(database+" destroy no votes and keys without asking", func(t *testing.T) {
			var loss *migrations.LossError
			if err := migrations.Undoable(files, 1, false); !errors.As(err, &loss) || !strings.Contains(loss.Loses, "votes") || !strings.Contains(loss.Loses, "key") {
				t.Errorf("the first one may be undone: %v", err)
			}
		})
	}
}
