package main

import (
	"context"
	"fmt"

	"github.com/oponn/oponn"
)

type takedownCommand struct {
	storageSettings

	Ballot string `arg:"" help:"Id of the ballot."`
}

// Run deletes a ballot, as its owner could: its key is destroyed, and what it
// was about can't be read any more. It may run beside servers, which end the
// ballot's streams within two seconds.
func (c takedownCommand) Run(ctx context.Context, t terminal) error {
	storage, err := c.read()
	if err != nil {
		return err
	}
	ballot, err := oponn.ParseBallotID(c.Ballot)
	if err != nil {
		return usageError{fmt.Errorf("oponn: %q is no id of a ballot", c.Ballot)}
	}
	if err := storage.check(); err != nil {
		return err
	}
	store, err := storage.open(ctx, false, false)
	if err != nil {
		return err
	}
	defer store.Close()
	done := store.Append(ctx, []oponn.Batch{oponn.Burying(ballot)})[0]
	switch code := oponn.CodeOf(done.Err); code {
	case "":
		_, err = fmt.Fprintf(t.out, "%s is deleted\n", ballot)
		return err
	case oponn.CodeGone:
		_, err = fmt.Fprintf(t.out, "%s had been deleted before\n", ballot)
		return err
	case oponn.CodeNotFound:
		return fmt.Errorf("there is no ballot %s", ballot)
	default:
		return fmt.Errorf("delete ballot %s: %w", ballot, done.Err)
	}
}
