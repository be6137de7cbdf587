package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/rawconn"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/sqlite"
)

// storage is where ballots and keys are.
type storage struct {
	dir         dataDir
	databaseURL string         // empty: SQLite in the directory
	kms         keys.KMSConfig // without KeyID: a key file in the directory
	formerKeys  []string       // keys of the KMS that still open what they wrapped
	meter       oponn.Meter    // nil: nothing is counted
}

// embedded says that the ballots are in the data directory.
func (s storage) embedded() bool { return s.databaseURL == "" }

// String says where ballots are, without a word that is secret.
func (s storage) String() string {
	if s.embedded() {
		return string(s.dir)
	}
	return "Postgres"
}

// open opens the database, for reading alone if that is all that is wanted; the
// options are Postgres's.
func (s storage) open(ctx context.Context, production, reading bool, options ...postgres.Option) (oponn.Store, error) {
	if s.embedded() {
		if reading {
			return sqlite.Open(ctx, s.dir.database(), sqlite.ReadOnly())
		}
		return sqlite.Open(ctx, s.dir.database(), sqlite.Meter(s.meter))
	}
	options = append(options, postgres.Writers(s.writers()), postgres.Meter(s.meter), postgres.Over(rawconn.Over))
	if production {
		options = append(options, postgres.Production())
	}
	if reading {
		options = append(options, postgres.ReadOnly())
	}
	return postgres.Open(ctx, s.databaseURL, options...)
}

// writers is how many transactions may run at once: more than one on a
// database that can, but no more than there are processors to feed them.
func (s storage) writers() int {
	if s.embedded() {
		return 1
	}
	return min(max(runtime.GOMAXPROCS(0), 2), 4)
}

// keyring opens the master key and returns it with the keyring over it. A key
// file that is there while a KMS is named still opens what it wrapped, so that
// moving to the KMS can go on while ballots are served.
func (s storage) keyring(ctx context.Context, log *slog.Logger) (*keys.Ring, keys.KEK, error) {
	if s.kms.KeyID == "" {
		if err := s.dir.make(); err != nil {
			return nil, nil, err
		}
		kek, err := keys.OpenLocal(s.dir.keyFile())
		if err != nil {
			return nil, nil, err
		}
		return keys.NewRing(kek, keys.WithMeter(s.meter)), kek, nil
	}
	config := s.kms
	config.Logger, config.Meter = log, s.meter
	kek, err := keys.OpenKMS(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	config.Meter = nil
	options := []keys.Option{keys.WithMeter(s.meter)}
	for _, id := range s.formerKeys {
		config.KeyID = id
		former, err := keys.OpenKMS(ctx, config)
		if err != nil {
			return nil, nil, err
		}
		options = append(options, keys.WithFormer(former))
	}
	if _, err := os.Stat(s.dir.keyFile()); err == nil {
		former, err := keys.OpenLocal(s.dir.keyFile())
		if err != nil {
			return nil, nil, err
		}
		options = append(options, keys.WithFormer(former))
	}
	return keys.NewRing(kek, options...), kek, nil
}

// refuseFreshKey refuses to make a key file for a database that holds ballots:
// none of them could be read with it, and the next backup would keep the wrong
// key. Several that start at once on an empty database agree on one file.
func (s storage) refuseFreshKey(ctx context.Context) (err error) {
	if _, err := os.Stat(s.dir.keyFile()); s.kms.KeyID != "" || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	const way = "bring it back from a backup, or name the master key by OPONN_KMS_KEY_ID"
	if s.embedded() {
		if _, err := os.Stat(s.dir.database()); err != nil {
			return nil
		}
		return fmt.Errorf("the database %s is there, but not its key file %s: %s, or move the database away to begin anew",
			s.dir.database(), s.dir.keyFile(), way)
	}
	store, err := s.open(ctx, false, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ballots, err := store.Ballots(ctx, oponn.BallotID{}, 1)
	if err != nil || len(ballots) == 0 {
		return err
	}
	return fmt.Errorf("there are ballots in Postgres, but not their key file %s: %s", s.dir.keyFile(), way)
}

// check returns an error when there is nothing to read: looking at ballots
// must not make an empty database, and a key that opens nothing.
func (s storage) check() error {
	var files []string
	if s.embedded() {
		files = append(files, s.dir.database())
	}
	if s.kms.KeyID == "" {
		files = append(files, s.dir.keyFile())
	}
	for _, file := range files {
		_, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("there is no %s: OPONN_DATA_DIR (--data-dir) says where a server keeps its files", file)
		case err != nil:
			return err
		}
	}
	return nil
}

// How long a server waits at its start for a database or a KMS that is still
// coming up, and how long between two times it asks: longer each time.
const (
	startPatience = 30 * time.Second
	startPause    = 250 * time.Millisecond
	startPauseMax = 4 * time.Second
)

// patiently tries to open something that may be unavailable for a while, and
// says meanwhile what it waits for, and for how long.
func patiently[T any](ctx context.Context, waits func(pause time.Duration, why error), what string, open func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for pause := startPause; ; pause = min(2*pause, startPauseMax) {
		opened, err := open(ctx)
		code := oponn.CodeOf(err)
		away := code == oponn.CodeStoreUnavailable || code == oponn.CodeKeysUnavailable || code == oponn.CodeBusy
		if !away || errors.Is(err, oponn.ErrKeyDenied) {
			return opened, err
		}
		if ctx.Err() == nil {
			waits(pause, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return opened, fmt.Errorf("the %s can't be reached: %w", what, err)
		}
	}
}
