package yardstick

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	web "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/keys"
)

// forgetful is a store that commits at once and keeps nothing but heads. With
// it Oponn publishes as lightly as servers do that keep nothing: what is left
// is the cost of the streams. One ballot, one writer.
type forgetful struct {
	oponn.Store
	mu      sync.Mutex
	records map[oponn.BallotID]*oponn.Record
}

func (s *forgetful) Now(context.Context) (time.Time, error) { return time.Now(), nil }

func (s *forgetful) Create(_ context.Context, record oponn.Record) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[record.Ballot] = &record
	return time.Now(), nil
}

func (s *forgetful) Load(_ context.Context, ballot oponn.BallotID) (oponn.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.records[ballot], nil
}

func (s *forgetful) Heads(context.Context, []oponn.BallotID) ([]oponn.Head, error) { return nil, nil }

func (s *forgetful) Append(_ context.Context, batches []oponn.Batch) []oponn.Appended {
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]oponn.Appended, len(batches))
	for i, b := range batches {
		record := s.records[b.Ballot]
		effect, err := b.Apply(oponn.Ground{Head: record.Head, Now: time.Now(), Earlier: make([][]oponn.LoggedVote, len(b.Votes))})
		results[i] = oponn.Appended{Effect: effect, Err: err}
		record.Head = effect.Head
	}
	return results
}

// runFlood serves one ballot, says where on standard output, and has a new
// version of it every millisecond, or as often as the processors allow.
func runFlood() error {
	kek, err := keys.OpenLocal(os.Getenv("OPONN_YARDSTICK_DIR") + "/kek")
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	system, err := actors.Start(actors.Config{Store: &forgetful{records: map[oponn.BallotID]*oponn.Record{}},
		Keys: keys.NewRing(kek), Bus: bus.NewLocal(), Logger: quiet, FrameInterval: time.Nanosecond})
	if err != nil {
		return err
	}
	server, err := web.New(web.Config{Secrets: [][]byte{[]byte("not much of a secret")}, Logger: quiet}, system)
	if err != nil {
		return err
	}
	created, err := system.Create(context.Background(), oponn.Draft{Question: "Which one?", Options: options()}, oponn.OwnerID{})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", os.Getenv("OPONN_YARDSTICK_ADDR"))
	if err != nil {
		return err
	}
	id := created.Snapshot.Ballot.ID
	fmt.Printf("/api/v1/ballots/%s/live\n", id)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		for tick := time.NewTicker(time.Millisecond); ctx.Err() == nil; <-tick.C {
			_, _ = system.Cast(ctx, oponn.Cast{Ballot: id, Voter: oponn.NewVoterID(), VoteID: oponn.NewVoteID(), Choices: []oponn.OptionID{"1"}})
		}
	}()
	go func() {
		<-ctx.Done()
		os.Exit(0)
	}()
	return server.Serve(listener)
}

// startFlood starts it.
func startFlood(b testing.TB) *course {
	b.Helper()
	addr := freePort(b)
	p := play(b, "flood", "OPONN_YARDSTICK_ADDR="+addr, "OPONN_YARDSTICK_DIR="+b.TempDir())
	path, err := p.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	await(b, "http://"+addr+"/")
	return &course{server: p, addr: addr, path: path[:len(path)-1], mark: "id: ", publish: func(n uint64) uint64 {
		<-time.After(10 * time.Millisecond) // it publishes by itself
		return n
	}}
}
