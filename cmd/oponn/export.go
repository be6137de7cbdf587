package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/export"
)

type exportCommand struct {
	storageSettings

	Ballot string `arg:"" help:"Id of the ballot."`
	What   string `enum:"results,votes" default:"results" placeholder:"WHAT" help:"results, or votes: anonymous and shuffled. Default: ${default}."`
	Format string `enum:"csv,json" default:"csv" placeholder:"FORMAT" help:"csv or json. Default: ${default}."`
	Output string `short:"o" placeholder:"FILE" help:"File to write, which is there when it is whole. Default: standard output."`
}

// Run writes what an owner gets from the page of a ballot. It only reads, so
// that it may run beside a server.
func (c exportCommand) Run(ctx context.Context, t terminal) error {
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
	ring, _, err := storage.keyring(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	store, err := storage.open(ctx, false, true)
	if err != nil {
		return err
	}
	defer store.Close()
	snapshot, err := openSnapshot(ctx, store, ring, ballot)
	if err != nil {
		return err
	}
	write := func(out io.Writer) error { return c.write(ctx, store, snapshot, out, t.err) }
	if c.Output == "" {
		return write(t.out)
	}
	return writeWhole(c.Output, write)
}

func (c exportCommand) write(ctx context.Context, store oponn.Store, s oponn.Snapshot, out, told io.Writer) error {
	owner := oponn.Onlooker{Owner: true}
	if c.What == "results" {
		if c.Format == "json" {
			return export.ResultsJSON(out, s, owner)
		}
		return export.ResultsCSV(out, s, owner)
	}
	pages := 2 * int64((s.State.Voters+oponn.VotesPage-1)/oponn.VotesPage+1) // read twice; at the end of each, an empty one
	step, done := progress(told, "pages", pages)
	defer done()
	e, err := oponn.NewExport(ctx, s, steppingLog{store, step})
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return export.VotesJSON(ctx, out, e)
	}
	return export.VotesCSV(ctx, out, e)
}

// steppingLog is a log that says how far it was read.
type steppingLog struct {
	oponn.VoteLog
	step func()
}

func (l steppingLog) VotesByTag(ctx context.Context, ballot oponn.BallotID, after oponn.VoterTag, revision uint32) ([]oponn.LoggedVote, error) {
	defer l.step()
	return l.VoteLog.VotesByTag(ctx, ballot, after, revision)
}

// openSnapshot opens a ballot as the store has it.
func openSnapshot(ctx context.Context, store oponn.Store, ring oponn.Keyring, id oponn.BallotID) (s oponn.Snapshot, err error) {
	record, err := store.Load(ctx, id)
	switch oponn.CodeOf(err) {
	case "":
	case oponn.CodeGone:
		return s, fmt.Errorf("the ballot %s was deleted", id)
	case oponn.CodeNotFound:
		return s, fmt.Errorf("there is no ballot %s", id)
	default:
		return s, fmt.Errorf("read ballot %s: %w", id, err)
	}
	key, err := ring.Open(ctx, id, record.Key)
	if err != nil {
		return s, fmt.Errorf("open the key of ballot %s: %w", id, err)
	}
	s.Version, s.ExpiresAt = record.Head.Version, record.Head.ExpiresAt
	if s.Ballot, err = oponn.OpenBallot(record, key); err != nil {
		return s, err
	}
	if s.State, err = oponn.OpenState(key, record.Head); err != nil {
		return s, err
	}
	s.WriteIns, err = oponn.OpenWriteIns(key, record.WriteIns)
	return s, err
}

// writeWhole writes a file that takes its name when it is whole. Only its owner
// may read it.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := errors.Join(write(file), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
