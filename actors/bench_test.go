package actors_test

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/keys"
)

// nullStore commits at once and keeps nothing but the heads: what is left is
// the cost of the actors, the sealing and the rules.
type nullStore struct {
	oponn.Store
	mu      sync.Mutex
	records map[oponn.BallotID]*oponn.Record
}

func (s *nullStore) Now(context.Context) (time.Time, error) { return time.Now(), nil }

func (s *nullStore) Create(_ context.Context, record oponn.Record) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[record.Ballot] = &record
	return time.Now(), nil
}

func (s *nullStore) Load(_ context.Context, ballot oponn.BallotID) (oponn.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.records[ballot], nil
}

func (s *nullStore) Append(_ context.Context, batches []oponn.Batch) []oponn.Appended {
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

func benchSystem(b *testing.B) (*actors.System, oponn.BallotID) {
	b.Helper()
	kek, err := keys.OpenLocal(b.TempDir() + "/kek")
	if err != nil {
		b.Fatal(err)
	}
	s, err := actors.Start(actors.Config{Store: &nullStore{records: make(map[oponn.BallotID]*oponn.Record)},
		Keys: keys.NewRing(kek), Bus: bus.NewLocal(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Drain(ctx); err != nil {
			b.Error(err)
		}
	})
	created, err := s.Create(context.Background(), oponn.Draft{Question: "Tabs or spaces?", Options: []string{"tabs", "spaces", "both", "neither"}}, oponn.OwnerID{})
	if err != nil {
		b.Fatal(err)
	}
	return s, created.Snapshot.Ballot.ID
}

// BenchmarkCast casts votes on one hot ballot through all actors to a store
// that keeps nothing, with the given number of voters waiting at any moment.
func BenchmarkCast(b *testing.B) {
	for _, voters := range []int{1, 32, 256, 1024} {
		b.Run(strconv.Itoa(voters)+"_voters", func(b *testing.B) {
			s, id := benchSystem(b)
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var done sync.WaitGroup
			for range voters {
				done.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if _, err := s.Cast(context.Background(), vote(id, "1")); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			done.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "votes/s")
		})
	}
}

// countingSink counts frames and takes them at once.
type countingSink struct{ shown *atomic.Int64 }

func (s countingSink) Offer(*oponn.Frame)    { s.shown.Add(1) }
func (s countingSink) Beat()                 {}
func (s countingSink) End(oponn.EndReason)   {}
func (s countingSink) Flush() oponn.Progress { return oponn.Progress{} }
func (s countingSink) Close()                {}

// BenchmarkFanOut shows one version after another to 1,000 viewers: each op is
// a vote, its commit, and the frame at every sink.
func BenchmarkFanOut(b *testing.B) {
	const viewers = 1000
	kek, err := keys.OpenLocal(b.TempDir() + "/kek")
	if err != nil {
		b.Fatal(err)
	}
	s, err := actors.Start(actors.Config{Store: &nullStore{records: make(map[oponn.BallotID]*oponn.Record)}, FrameInterval: time.Nanosecond,
		Keys: keys.NewRing(kek), Bus: bus.NewLocal(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	created, err := s.Create(context.Background(), oponn.Draft{Question: "Tabs or spaces?", Options: []string{"tabs", "spaces"}}, oponn.OwnerID{})
	if err != nil {
		b.Fatal(err)
	}
	id := created.Snapshot.Ballot.ID
	var shown atomic.Int64
	for range viewers {
		if _, err := s.Watch(context.Background(), id, oponn.Viewer{Group: counts, Sink: countingSink{&shown}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if _, err := s.Cast(context.Background(), vote(id, "1")); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(shown.Load())/b.Elapsed().Seconds(), "frames/s")
	b.ReportMetric(float64(shown.Load())/float64(b.N)/viewers, "frames/viewer/op")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		b.Error(err)
	}
}
