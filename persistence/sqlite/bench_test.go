package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/storetest"
)

// BenchmarkAppend measures durable votes per second on one ballot, by the size
// of the batches, with the domain's own Apply.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			store := openStore(b, filepath.Join(b.TempDir(), "oponn.db"))
			subject := storetest.Create(b, store, storetest.Plan{})
			for b.Loop() {
				b.StopTimer()
				batch := subject.Batch(subject.NewVotes(b, size))
				b.StartTimer()
				if done := storetest.AppendOne(store, batch); done.Err != nil {
					b.Fatal(done.Err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "votes/s")
		})
	}
}

// BenchmarkScan measures reading a log in order.
func BenchmarkScan(b *testing.B) {
	const votes = 100_000
	store := openStore(b, filepath.Join(b.TempDir(), "oponn.db"))
	subject := storetest.Create(b, store, storetest.Plan{})
	for range votes / 5000 {
		storetest.Insist(b, store, subject.Batch(subject.NewVotes(b, 5000)))
	}
	for b.Loop() {
		err := store.Scan(b.Context(), subject.ID, func(oponn.Record) error { return nil }, func(oponn.LoggedVote) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(votes*float64(b.N)/b.Elapsed().Seconds(), "votes/s")
}
