package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn/migrations"
	"github.com/oponn/oponn/persistence/postgres"
)

// Variable names the environment variable with the URL of a server for tests,
// with a role that may create databases.
const Variable = "OPONN_TEST_DATABASE_URL"

const install = "no Postgres for tests: set " + Variable + ", start Docker, or install the binaries (Debian: apt-get install postgresql; macOS: brew install postgresql)"

// startTimeout bounds everything that happens before a test has its database.
const startTimeout = 2 * time.Minute

// URL makes a migrated database for one test and drops it when that ends.
func URL(tb testing.TB) string {
	tb.Helper()
	template, err := template()
	if err != nil {
		tb.Fatalf("start Postgres: %v", err)
	}
	return clone(tb, template.server, template.name)
}

// EmptyURL makes an empty database for one test and drops it when that ends.
func EmptyURL(tb testing.TB) string {
	tb.Helper()
	template, err := template()
	if err != nil {
		tb.Fatalf("start Postgres: %v", err)
	}
	return clone(tb, template.server, "template0")
}

// migrated is a database on a server that holds the schema and nothing else.
type migrated struct{ server, name string }

// template finds a server and makes the template, once per process.
var template = sync.OnceValues(func() (migrated, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	server, err := find(ctx)
	if err != nil {
		return migrated{}, err
	}
	name, err := makeTemplate(ctx, server)
	return migrated{server: server, name: name}, err
})

// find returns the URL of a server.
func find(ctx context.Context) (string, error) {
	if server := os.Getenv(Variable); server != "" {
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return "", fmt.Errorf("%s: %w", Variable, err)
		}
		return server, conn.Close(ctx)
	}
	if engineAnswers(ctx) {
		return container(ctx)
	}
	server, err := start(ctx, nil)
	if err != nil {
		return "", err
	}
	server.watchdog.keep()
	return server.URL(), nil
}

// makeTemplate makes the template when the server doesn't have it yet. Its
// name tells its schema, and it gets it only when it is whole: no connection
// may ever be open to a template.
func makeTemplate(ctx context.Context, server string) (string, error) {
	name := "oponn_template_" + fingerprint()
	making := name + "_making"
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext($1))", name); err != nil {
		return "", err
	}
	var there bool
	err = conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there)
	if err != nil || there {
		return name, err
	}
	for _, sql := range []string{"drop database if exists " + making, "create database " + making} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	if _, err := postgres.Migrate(ctx, on(server, making)); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "alter database "+making+" rename to "+name)
	return name, err
}

// fingerprint tells one schema from another.
func fingerprint() string {
	hash := sha256.New()
	names, _ := fs.Glob(migrations.Postgres(), "*.sql")
	for _, name := range names {
		text, _ := fs.ReadFile(migrations.Postgres(), name)
		hash.Write(text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
}

// clone makes a database from a template.
func clone(tb testing.TB, server, template string) string {
	tb.Helper()
	name := "oponn_test_" + strings.ToLower(rand.Text()[:16])
	administer(tb, server, "create database "+name+" template "+template)
	tb.Cleanup(func() { administer(tb, server, "drop database if exists "+name+" with (force)") })
	return on(server, name)
}

func administer(tb testing.TB, server, sql string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// on returns the URL of another database on the same server.
func on(server, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err) // somebody has connected to it
	}
	u.Path = "/" + database
	return u.String()
}
