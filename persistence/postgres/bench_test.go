package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

// BenchmarkAppend measures durable votes per second on one ballot, by the size
// of the batches, with the domain's own Apply and one writer.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			store := openStore(b, pgtest.URL(b))
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

// BenchmarkTextbook measures what Append is up against: a transaction per vote
// that inserts it and counts it, statement by statement.
func BenchmarkTextbook(b *testing.B) {
	conn := connect(b, pgtest.URL(b))
	exec(b, conn, "create table ballot_votes (ballot uuid, tag uuid, vote_id uuid, sealed bytea, primary key (ballot, tag))",
		"create table tallies (ballot uuid primary key, votes bigint)")
	ballot, sealed, ctx := oponn.NewVoteID(), make([]byte, 48), context.Background()
	exec(b, conn, "insert into tallies values ('"+ballot.String()+"', 0)")
	for b.Loop() {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "insert into ballot_votes values ($1, $2, $3, $4)", [16]byte(ballot), [16]byte(oponn.NewVoteID()), [16]byte(oponn.NewVoteID()), sealed)
			if err == nil {
				_, err = tx.Exec(ctx, "update tallies set votes = votes + 1 where ballot = $1", [16]byte(ballot))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "votes/s")
}

// BenchmarkScan measures reading a log in order.
func BenchmarkScan(b *testing.B) {
	const votes = 100_000
	store := openStore(b, pgtest.URL(b))
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
