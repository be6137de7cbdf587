package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

// TestFormerPrimary has another server take over from a primary that is still
// there: frozen with everything that was asked of it, or well.
func TestFormerPrimary(t *testing.T) {
	for name, c := range map[string]struct{ frozen, secure bool }{
		"that froze": {frozen: true}, "that is well": {}, "that froze, over TLS": {frozen: true, secure: true},
	} {
		t.Run(name, func(t *testing.T) {
			primary := pgtest.NewServer(t)
			if c.secure {
				primary.Encrypt(t)
			}
			standby := pgtest.NewStandby(t, primary)
			url := pgtest.Either(primary, standby)
			if c.secure {
				url = pgtest.Encrypted(url)
			}
			store := openStore(t, url)
			subject := storetest.Create(t, store, storetest.Plan{})
			storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 1)))
			heads(t, store, subject) // so that there are connections to the old one
			if c.frozen {
				primary.Freeze(t)
			}
			standby.Promote(t)
			begin := time.Now()
			var last oponn.Appended
			batch := subject.Batch(subject.NewVotes(t, 1))
			eventually(t, "an Append", func() bool {
				last = storetest.AppendOne(store, batch)
				return last.Err == nil
			})
			t.Logf("appended %v after the promotion", time.Since(begin).Round(time.Millisecond))
			if c.frozen {
				primary.Thaw(t)
			}
			stranger := openStore(t, url)
			for _, s := range []oponn.Store{store, stranger} {
				for _, version := range heads(t, s, subject) {
					if version < last.Effect.Head.Version {
						t.Errorf("version %d was read after version %d", version, last.Effect.Head.Version)
					}
				}
				last = storetest.AppendOne(s, subject.Batch(subject.NewVotes(t, 1)))
				if last.Err != nil {
					t.Errorf("after the thaw, an Append got %v", last.Err)
				}
			}
			if _, log := subject.Recount(t, openStore(t, standby.URL(), postgres.Writers(1))); len(log) != 4 {
				t.Errorf("the new primary has %d votes, want 4", len(log))
			}
		})
	}
}

// heads reads a head on all connections at once, and returns the versions.
func heads(t *testing.T, store oponn.Store, subject *storetest.Subject) []uint64 {
	t.Helper()
	versions := make([]uint64, 16)
	var reading sync.WaitGroup
	for i := range versions {
		reading.Go(func() {
			found, err := store.Heads(context.Background(), []oponn.BallotID{subject.ID})
			if err != nil || len(found) != 1 {
				t.Errorf("read: %v, %d heads", err, len(found))
				return
			}
			versions[i] = found[0].Version
		})
	}
	reading.Wait()
	return versions
}
