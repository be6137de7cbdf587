package postgres_test

import (
	"context"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/rawconn"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Database { return database(pgtest.URL(t)) })
}

// database is a database at a URL.
type database string

// Open opens an instance behind a proxy of its own, which loses COMMITs.
func (d database) Open(t testing.TB) oponn.Store {
	proxy := pgtest.NewProxy(t, string(d))
	return lossy{openStore(t, proxy.URL()), proxy}
}

// lossy is a store whose wire can be cut at a COMMIT.
type lossy struct {
	*postgres.Store
	*pgtest.Proxy
}

// openStore opens a store over connections as the service has them.
func openStore(t testing.TB, url string, options ...postgres.Option) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(context.Background(), url, append(options, postgres.Over(rawconn.Over))...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}
