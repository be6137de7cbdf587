package migrations_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/oponn/oponn/migrations"
)

func TestSQLite(t *testing.T) {
	names, err := fs.Glob(migrations.SQLite(), "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("found %v: %v", names, err)
	}
	for i, name := range names {
		if number := regexp.MustCompile(`^(\d{4})_[a-z_]+\.sql$`).FindStringSubmatch(name); number == nil || number[1] != fmt.Sprintf("%04d", i+1) {
			t.Errorf("%s is not number %d", name, i+1)
		}
		text, err := fs.ReadFile(migrations.SQLite(), name)
		if err != nil || !strings.HasPrefix(string(text), "-- +goose Up\n") {
			t.Errorf("%s does not begin with the mark of goose: %v", name, err)
		}
	}
}
