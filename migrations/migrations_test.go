package migrations_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/oponn/oponn/migrations"
)

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
		t.Run(database+" lead up and not down", func(t *testing.T) {
			names, _ := fs.Glob(files, "*.sql")
			for _, name := range names {
				text, err := fs.ReadFile(files, name)
				if err != nil || !strings.HasPrefix(string(text), "-- +goose Up\n") || strings.Contains(string(text), "-- +goose Down") {
					t.Errorf("%s does not begin with the mark of goose, or leads down: %v", name, err)
				}
			}
		})
	}
}
