package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
)

type keysCommand struct {
	Init   keysInit   `cmd:"" help:"Make a master key in the KMS, if there is none, and print the line for .env that names it."`
	Status keysStatus `cmd:"" help:"Describe the master key and count the ballots under each."`
	Rotate keysRotate `cmd:"" help:"Wrap every ballot's key anew with the master key that OPONN_KMS_KEY_ID names. It may be ended and run again, beside running servers; a key file in OPONN_DATA_DIR is moved from."`
}

type (
	keysInit struct {
		storageSettings
		Alias string `default:"alias/oponn" help:"Name of the key. Default: ${default}."`
	}
	keysStatus struct{ storageSettings }
	keysRotate struct{ storageSettings }
)

// Run makes what is missing.
func (c keysInit) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	arn, err := keys.InitKMS(ctx, storage.kms, c.Alias)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "OPONN_KMS_KEY_ID=%s\n", arn)
	return err
}

// Run describes.
func (c keysStatus) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	if err := storage.check(); err != nil {
		return err
	}
	if storage.kms.KeyID == "" {
		kek, err := keys.OpenLocal(storage.dir.keyFile())
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "key      %s\nfile     %s\n", kek.ID(), storage.dir.keyFile())
	} else {
		status, err := keys.StatusKMS(ctx, storage.kms)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "key      %s\nstate    %s\nrotating %t\n", status.ARN, status.State, status.Rotating)
	}
	store, err := storage.open(ctx, false, true)
	if err != nil {
		return err
	}
	defer store.Close()
	count := map[string]int{}
	err = eachBallot(ctx, store, func(record oponn.Record) error {
		count[record.Key.KEK]++
		return nil
	})
	for _, kek := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(t.out, "ballots  %d under %s\n", count[kek], kek)
	}
	return err
}

// Run rewraps. It fails when some key could not be.
func (c keysRotate) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	if err := storage.check(); err != nil {
		return err
	}
	ring, kek, err := storage.keyring(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	store, err := storage.open(ctx, false, false)
	if err != nil {
		return err
	}
	defer store.Close()
	ballots, err := countBallots(ctx, store)
	if err != nil {
		return err
	}
	r := rotation{store: store, ring: ring}
	step, done := progress(t.err, "rotating", ballots)
	err = eachBallot(ctx, store, func(record oponn.Record) error {
		defer step()
		return r.rewrap(ctx, record)
	})
	done()
	if ctx.Err() != nil {
		err = errors.New("stopped; run it again to go on")
	}
	fmt.Fprintf(t.out, "rewrapped %d, already under %s %d, failed %d\n", r.rewrapped, kek.ID(), r.already, len(r.failed))
	for _, failure := range r.failed {
		fmt.Fprintln(t.out, "  "+failure)
	}
	if err == nil && len(r.failed) > 0 {
		err = errFailed
	}
	return err
}

// rotation counts what became of the keys.
type rotation struct {
	store              oponn.Store
	ring               *keys.Ring
	rewrapped, already int
	failed             []string
}

// rewrapAttempts is how often one key is tried: somebody else may be rewrapping
// it too, the answer of a commit may be lost, KMS may throttle us.
const rewrapAttempts = 5

// rewrap moves one key. Its error is that of the KMS or the store being away,
// which ends the run; a key that can't be moved is counted.
func (r *rotation) rewrap(ctx context.Context, record oponn.Record) error {
	for attempt := 1; ; attempt++ {
		to, changed, err := r.ring.Rewrap(ctx, record.Ballot, record.Key)
		if err == nil && !changed {
			r.already++
			return nil
		}
		if err == nil {
			err = r.store.Rewrap(ctx, record.Ballot, record.Key, to)
		}
		denied := errors.Is(err, oponn.ErrKeyDenied)
		switch code := oponn.CodeOf(err); {
		case err == nil:
			r.rewrapped++
			return nil
		case code == oponn.CodeGone, code == oponn.CodeNotFound:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case attempt < rewrapAttempts && retryable(err) && !denied:
			pause(ctx, time.Duration(attempt)*time.Second/2)
			if again, err := r.store.Load(ctx, record.Ballot); err == nil {
				record = again
			}
			continue
		case code == oponn.CodeKeysUnavailable && !denied, code == oponn.CodeStoreUnavailable:
			return fmt.Errorf("stopped; run it again to go on: %w", err)
		}
		r.failed = append(r.failed, fmt.Sprintf("%s: %s", record.Ballot, plainly(err)))
		return nil
	}
}

// retryable says whether doing the same again may help.
func retryable(err error) bool {
	var coded *oponn.Error
	return errors.As(err, &coded) && coded.RetryAfter > 0
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// countBallots counts what eachBallot will read.
func countBallots(ctx context.Context, store oponn.Store) (n int64, err error) {
	var after oponn.BallotID
	for {
		ballots, err := store.Ballots(ctx, after, page)
		if err != nil || len(ballots) == 0 {
			return n, err
		}
		n, after = n+int64(len(ballots)), ballots[len(ballots)-1]
	}
}

// eachBallot reads all ballots, one after the other.
func eachBallot(ctx context.Context, store oponn.Store, do func(oponn.Record) error) error {
	var after oponn.BallotID
	for {
		ballots, err := store.Ballots(ctx, after, page)
		if err != nil || len(ballots) == 0 {
			return err
		}
		for _, ballot := range ballots {
			record, err := store.Load(ctx, ballot)
			if code := oponn.CodeOf(err); code == oponn.CodeGone || code == oponn.CodeNotFound {
				continue
			}
			if err == nil {
				err = do(record)
			}
			if err != nil {
				return err
			}
		}
		after = ballots[len(ballots)-1]
	}
}
