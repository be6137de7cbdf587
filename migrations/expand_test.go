package migrations_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oponn/oponn/migrations"
)

// TestExpand holds all migrations but the first to what the release before can
// live with.
func TestExpand(t *testing.T) {
	for database, files := range map[string]fs.FS{"postgres": migrations.Postgres(), "sqlite": migrations.SQLite()} {
		texts := read(t, files)
		for _, name := range slices.Sorted(maps.Keys(texts))[1:] {
			if breach := breachOf(database == "postgres", name, texts[name]); breach != "" {
				t.Errorf("%s/%s: %s", database, name, breach)
			}
		}
	}
	// What the tests of two releases side by side migrate to.
	for name, text := range read(t, os.DirFS("testdata/next")) {
		if breach := breachOf(true, "0099_"+name, text); breach != "" {
			t.Errorf("testdata/next/%s: %s", name, breach)
		}
	}
}

func TestExpand_TheCheckBites(t *testing.T) {
	const noTransaction = "-- +goose NO TRANSACTION\n"
	for _, test := range []struct {
		up   string
		good bool
	}{
		{"CREATE TABLE a (b integer NOT NULL)", true},
		{"create table if not exists a (b integer); create unique index on a (b); alter table a alter column b set not null", true},
		{"ALTER TABLE votes ADD COLUMN a integer", true},
		{"ALTER TABLE votes ADD a integer", true},
		{"ALTER TABLE IF EXISTS ONLY votes ADD COLUMN IF NOT EXISTS a integer NOT NULL DEFAULT 0, ADD b text DEFAULT 'not null'", true},
		{"ALTER TABLE votes ADD COLUMN a numeric(3, 1) NOT NULL DEFAULT 1.5", true},
		{"ALTER TABLE votes ALTER COLUMN sealed SET STORAGE EXTERNAL", true},
		{"ALTER TABLE votes SET (fillfactor = 90)", true},
		{"-- DROP TABLE votes;\nCREATE TABLE a (b integer) /* ; DROP TABLE votes */", true},
		{"CREATE TABLE a (b text DEFAULT '; DROP TABLE votes')", true},
		{"", true},

		{"DROP TABLE votes", false},
		{"CREATE TABLE a (b integer); drop  table\nvotes", false},
		{"DROP INDEX votes_by_position", false},
		{"ALTER TABLE votes DROP COLUMN at", false},
		{"ALTER TABLE votes DROP at", false},
		{"ALTER TABLE votes ADD COLUMN a integer, DROP COLUMN at", false},
		{"ALTER TABLE votes ADD COLUMN a text DEFAULT 'x, y', drop at", false},
		{"ALTER TABLE votes RENAME TO ballots_votes", false},
		{"ALTER TABLE votes RENAME COLUMN at TO cast_at", false},
		{"ALTER TABLE votes RENAME at TO cast_at", false},
		{"ALTER INDEX votes_by_position RENAME TO a", false},
		{"ALTER TABLE votes ALTER COLUMN revision TYPE bigint", false},
		{"ALTER TABLE votes ALTER revision SET DATA TYPE bigint", false},
		{"ALTER TABLE votes ALTER COLUMN at SET NOT NULL", false},
		{"ALTER TABLE ONLY public.votes ALTER at SET NOT NULL", false},
		{"ALTER TABLE \"votes\" ALTER COLUMN at DROP DEFAULT", false},
		{"ALTER TABLE votes ADD COLUMN a integer NOT NULL", false},
		{"ALTER TABLE votes ADD a integer not  null", false},
		{"ALTER TABLE votes ADD COLUMN a integer NOT NULL DEFAULT NULL", false},
		{"ALTER TABLE votes ADD COLUMN a uuid DEFAULT gen_random_uuid()", false},
		{"ALTER TABLE votes ADD COLUMN a integer UNIQUE", false},
		{"ALTER TABLE votes ADD COLUMN a integer PRIMARY KEY", false},
		{"ALTER TABLE votes ADD COLUMN a bigint REFERENCES ballots", false},
		{"ALTER TABLE votes ADD COLUMN a integer CHECK (a > 0)", false},
		{"ALTER TABLE votes ADD COLUMN a bigserial", false},
		{"ALTER TABLE votes ADD COLUMN a bigint GENERATED ALWAYS AS IDENTITY", false},
		{"ALTER TABLE votes ADD CONSTRAINT a CHECK (version > 0)", false},
		{"ALTER TABLE votes ADD CHECK (version > 0)", false},
		{"ALTER TABLE votes ADD UNIQUE (vote_id)", false},
		{"ALTER TABLE votes SET SCHEMA old", false},
		{"CREATE TRIGGER a BEFORE INSERT ON votes EXECUTE FUNCTION b()", false},
		{"TRUNCATE votes", false},
		{"DELETE FROM votes", false},
		{"UPDATE heads SET version = 0", false},
		{"DO $$ BEGIN EXECUTE 'DROP TABLE votes'; END $$", false},
		{"GRANT ALL ON votes TO public", false},
		{"SET session_replication_role = replica", false},
	} {
		if breach := breachOf(true, "0009_a.sql", written("", test.up)); (breach == "") != test.good {
			t.Errorf("%q: found %q", test.up, breach)
		}
	}
	for _, test := range []struct {
		head, up         string
		postgres, sqlite bool
	}{
		{"", "CREATE INDEX a ON votes (at)", false, true},
		{"", "CREATE TABLE b (at integer); CREATE INDEX a ON votes (at)", false, true},
		{"", "CREATE INDEX ON ONLY public.votes USING brin (at)", false, true},
		{noTransaction, "CREATE INDEX CONCURRENTLY a ON votes (at)", true, true},
		{noTransaction, "SET lock_timeout = 0; DROP INDEX CONCURRENTLY IF EXISTS a; CREATE INDEX CONCURRENTLY a ON votes (at)", true, true},
		{noTransaction, "DROP INDEX CONCURRENTLY IF EXISTS b; CREATE INDEX CONCURRENTLY a ON votes (at)", false, false},
		{"", "CREATE INDEX CONCURRENTLY a ON votes (at)", false, true},
		{noTransaction, "CREATE UNIQUE INDEX CONCURRENTLY a ON votes (at)", false, false},
		{"", "CREATE TABLE b (at integer); CREATE INDEX a ON b (at)", true, true},
		// With an excuse, which is worth nothing for an index that stops all votes.
		{"-- contract: needed by no release since 0004\n", "ALTER TABLE votes DROP COLUMN at", true, true},
		{"-- contract: needed by no release since 0009\n", "ALTER TABLE votes DROP COLUMN at", false, false},
		{"-- contract: not needed\n", "ALTER TABLE votes DROP COLUMN at", false, false},
		{"-- contract: needed by no release since 0004\n", "CREATE INDEX a ON votes (at)", false, true},
	} {
		text := written(test.head, test.up)
		if breach := breachOf(true, "0009_a.sql", text); (breach == "") != test.postgres {
			t.Errorf("Postgres: %q: found %q", text, breach)
		}
		if breach := breachOf(false, "0009_a.sql", text); (breach == "") != test.sqlite {
			t.Errorf("SQLite: %q: found %q", text, breach)
		}
	}
}

func written(head, up string) string {
	return head + "-- +goose Up\n" + up + ";\n\n-- +goose Down\nDROP TABLE whatever;\n"
}

var (
	noise      = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'`)
	parens     = regexp.MustCompile(`\([^()]*\)`)
	table      = `(?:public\.)?"?(\w+)"?`
	creates    = regexp.MustCompile(`^create table (?:if not exists )?` + table)
	alters     = regexp.MustCompile(`^alter table (?:if exists )?(?:only )?` + table + ` (.*)$`)
	indexes    = regexp.MustCompile(`^create (unique )?index (concurrently )?(?:if not exists )?(?:"?(\w+)"? )?on (?:only )?` + table)
	dropsIndex = regexp.MustCompile(`^drop index concurrently if exists "?(\w+)"?$`)
	adds       = regexp.MustCompile(`^add (?:column )?(?:if not exists )?"?\w+"? (.*)$`)
	harmless   = regexp.MustCompile(`^(?:alter (?:column )?"?\w+"? set (?:storage|statistics|compression) \S+|set \x00)$`)
	patience   = regexp.MustCompile(`^set lock_timeout = \S+$`)
	excuse     = regexp.MustCompile(`(?m)^-- contract: needed by no release since (\d{4})$`)
	// What a column that is added must not be: a check of what the release
	// before writes, a new copy of the table, or a constraint and not a column.
	constrains = regexp.MustCompile(`\b(unique|primary|references|check|exclude|constraint|foreign|generated|(small|big)?serial)\b`)
	value      = regexp.MustCompile(`\bdefault (\S+)`)
)

// breachOf says how the Up part of a file does more than expand a schema; the
// empty string means that it doesn't. It knows what is allowed and refuses the
// rest.
func breachOf(postgres bool, name, text string) string {
	excused := false
	if found := excuse.FindStringSubmatch(text); found != nil {
		excused = found[1] < name[:4]
	}
	inTransaction := !strings.Contains(text, "-- +goose NO TRANSACTION\n")
	up, _, _ := strings.Cut(text, "-- +goose Down")
	statements := statementsOf(up)
	made := map[string]bool{} // tables and indexes that come with this file
	for _, statement := range statements {
		if found := creates.FindStringSubmatch(statement); found != nil {
			made[found[1]] = true
		}
		if found := indexes.FindStringSubmatch(statement); found != nil {
			made[found[3]] = true
		}
	}
	for _, statement := range statements {
		var breach string
		if found := indexes.FindStringSubmatch(statement); found != nil && !made[found[4]] {
			unique, concurrently := found[1] != "", found[2] != ""
			switch {
			case unique:
				breach = "refuses what the release before may write"
			case postgres && (!concurrently || inTransaction):
				return fmt.Sprintf("%q: all votes would wait: CONCURRENTLY, and outside of a transaction", statement)
			}
		} else {
			breach = breachOfStatement(statement, made)
		}
		if breach != "" && !excused {
			return fmt.Sprintf("%q: %s", statement, breach)
		}
	}
	return ""
}

// statementsOf returns statements in lower case, without comments, with single
// spaces, and with words in quotes replaced by an empty pair.
func statementsOf(text string) (statements []string) {
	text = noise.ReplaceAllStringFunc(text, func(part string) string {
		if part[0] == '\'' {
			return "''"
		}
		return " "
	})
	for statement := range strings.SplitSeq(strings.ToLower(text), ";") {
		if statement = strings.Join(strings.Fields(statement), " "); statement != "" {
			statements = append(statements, statement)
		}
	}
	return statements
}

func breachOfStatement(statement string, made map[string]bool) string {
	if creates.MatchString(statement) || indexes.MatchString(statement) || patience.MatchString(statement) {
		return ""
	}
	if found := dropsIndex.FindStringSubmatch(statement); found != nil && made[found[1]] {
		return ""
	}
	found := alters.FindStringSubmatch(statement)
	switch {
	case found == nil:
		return "does more than expand, for all that this test knows"
	case made[found[1]]:
		return ""
	}
	actions := found[2]
	for deeper := ""; deeper != actions; { // commas in parentheses part nothing
		deeper = actions
		actions = parens.ReplaceAllString(actions, "\x00")
	}
	for action := range strings.SplitSeq(actions, ",") {
		if breach := breachOfAction(strings.TrimSpace(action)); breach != "" {
			return strconv.Quote(action) + " " + breach
		}
	}
	return ""
}

func breachOfAction(action string) string {
	found := adds.FindStringSubmatch(action)
	if found == nil {
		if harmless.MatchString(action) {
			return ""
		}
		return "does more than expand, for all that this test knows"
	}
	fallback := value.FindStringSubmatch(action)
	switch {
	case constrains.MatchString(action):
		return "constrains or fills what is there"
	case fallback != nil && strings.Contains(fallback[1], "\x00"):
		return "writes every row anew"
	case strings.Contains(action, "not null") && (fallback == nil || fallback[1] == "null"):
		return "refuses what the release before writes"
	}
	return ""
}
