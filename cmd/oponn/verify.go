package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/oponn/oponn"
)

type verifyCommand struct {
	storageSettings

	Ballot string `arg:"" optional:"" help:"Id of the ballot; all of them when it is left out."`
}

// Run recounts ballots, says a line about each, and fails when one is wrong.
// It only reads, so that it may run beside a server.
func (c verifyCommand) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	var only oponn.BallotID
	if c.Ballot != "" {
		if only, err = oponn.ParseBallotID(c.Ballot); err != nil {
			return usageError{fmt.Errorf("oponn: %q is no id of a ballot", c.Ballot)}
		}
	}
	if err := storage.check(); err != nil {
		return err
	}
	ring, _, err := storage.keyring(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	store, err := storage.open(ctx, false, true)
	if err != nil {
		return err
	}
	defer store.Close()
	a := audit{store: store, keys: ring, out: t.out}
	if c.Ballot != "" {
		err = a.one(ctx, only)
	} else {
		err = a.all(ctx)
	}
	if err != nil {
		return err
	}
	return a.sum()
}
