package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

// connect opens a plain connection, as a foreign instance would have it.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(30*time.Second), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// expect checks an error's code, that it says when to try again, and its
// condition at the server, if one is given.
func expect(t testing.TB, err error, code oponn.Code, condition string) {
	t.Helper()
	var own *oponn.Error
	if !errors.As(err, &own) || own.Code != code || own.RetryAfter <= 0 {
		t.Fatalf("got %v, want %s", err, code)
	}
	var answer *pgconn.PgError
	if condition != "" && (!errors.As(err, &answer) || answer.Code != condition) {
		t.Errorf("got %v, want the condition %s", err, condition)
	}
}

func TestFrozenInstance(t *testing.T) {
	t.Run("it holds others up for less than five seconds", func(t *testing.T) {
		url := pgtest.URL(t)
		store, frozen := openStore(t, url), openStore(t, url)
		subject, neighbour := storetest.Create(t, store, storetest.Plan{}), storetest.Create(t, store, storetest.Plan{})
		batch := subject.Batch(subject.NewVotes(t, 2))
		apply, held, thaw := batch.Apply, make(chan struct{}, 10), make(chan struct{})
		batch.Apply = func(g oponn.Ground) (oponn.Effect, error) {
			held <- struct{}{}
			<-thaw // as after SIGSTOP
			return apply(g)
		}
		first := make(chan oponn.Appended, 1)
		go func() { first <- storetest.AppendOne(frozen, batch) }()
		<-held
		start := time.Now()
		done := store.Append(context.Background(), []oponn.Batch{subject.Batch(subject.NewVotes(t, 2)), neighbour.Batch(neighbour.NewVotes(t, 2))})
		took := time.Since(start)
		for _, d := range done {
			if d.Err != nil {
				t.Errorf("the other instance got %v", d.Err)
			}
		}
		if took > 5*time.Second {
			t.Errorf("it held the others up for %s", took)
		}
		t.Logf("held up for %s", took)
		close(thaw)
		if done := <-first; done.Err != nil { // its session was ended; it tried again
			t.Errorf("the frozen instance got %v", done.Err)
		}
		if _, log := subject.Recount(t, store); len(log) != 4 {
			t.Errorf("%d votes", len(log))
		}
	})
	t.Run("a head that stays locked is busy, and its neighbours go on", func(t *testing.T) {
		url := pgtest.URL(t)
		store := openStore(t, url)
		subject, neighbour := storetest.Create(t, store, storetest.Plan{}), storetest.Create(t, store, storetest.Plan{})
		holder := connect(t, url)
		exec(t, holder, "begin", "select from heads where ballot = '"+oponn.VoteID(subject.ID).String()+"' for update")
		done := store.Append(context.Background(), []oponn.Batch{subject.Batch(subject.NewVotes(t, 2)), neighbour.Batch(neighbour.NewVotes(t, 2))})
		expect(t, done[0].Err, oponn.CodeBusy, "55P03")
		if done[1].Err != nil {
			t.Errorf("the neighbour got %v", done[1].Err)
		}
		exec(t, holder, "rollback")
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 2)))
	})
}

func TestFaults(t *testing.T) {
	t.Run("connections that were cut are replaced, and nothing is lost", func(t *testing.T) {
		proxy := pgtest.NewProxy(t, pgtest.URL(t))
		store := openStore(t, proxy.URL())
		subject := storetest.Create(t, store, storetest.Plan{})
		voters := 0
		for range 20 {
			proxy.Cut()
			voters += len(storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 3))).Logged)
			if _, err := store.Heads(context.Background(), []oponn.BallotID{subject.ID}); err != nil {
				t.Errorf("read: %v", err)
			}
		}
		if record, _ := subject.Recount(t, store); int(record.Head.Voters) != voters {
			t.Errorf("%d voters, acknowledged were %d", record.Head.Voters, voters)
		}
	})
	t.Run("a database that may not be written is unavailable until it may", func(t *testing.T) {
		url := pgtest.URL(t)
		subject := storetest.Create(t, openStore(t, url), storetest.Plan{})
		store := openStore(t, url, postgres.Writers(1))
		deny(t, connect(t, url), true)
		expect(t, storetest.AppendOne(store, subject.Batch(subject.NewVotes(t, 1))).Err, oponn.CodeStoreUnavailable, "25006")
		deny(t, connect(t, url), false)
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 1)))
	})
	t.Run("a standby is unavailable and let go of, and serves once promoted", func(t *testing.T) {
		primary := pgtest.NewServer(t)
		subject := storetest.Create(t, openStore(t, primary.URL()), storetest.Plan{})
		standby := pgtest.NewStandby(t, primary)
		store, plain := openStore(t, standby.URL()), connect(t, standby.URL())
		expect(t, storetest.AppendOne(store, subject.Batch(subject.NewVotes(t, 1))).Err, oponn.CodeStoreUnavailable, "0A000")
		eventually(t, "nobody is left who would write there", func() bool {
			var writers int
			row := plain.QueryRow(context.Background(), "select count(*) from pg_stat_activity where application_name = 'oponn writer'")
			return row.Scan(&writers) == nil && writers == 0
		})
		standby.Promote(t)
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 1)))
		subject.Recount(t, store)
	})
	t.Run("too many connections are busy until there are fewer", func(t *testing.T) {
		server := pgtest.NewServer(t, "max_connections=12", "superuser_reserved_connections=0")
		store := openStore(t, server.URL(), postgres.Writers(2))
		subject := storetest.Create(t, store, storetest.Plan{})
		var others []*pgx.Conn
		for {
			conn, err := pgx.Connect(context.Background(), server.URL())
			if err != nil {
				break
			}
			others = append(others, conn)
		}
		err := store.Scan(context.Background(), subject.ID, func(oponn.Record) error { return nil }, nil)
		expect(t, err, oponn.CodeBusy, "53300")
		storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 1))) // on a connection it has
		for _, conn := range others {
			_ = conn.Close(context.Background())
		}
		eventually(t, "a connection", func() bool {
			return store.Scan(context.Background(), subject.ID, func(oponn.Record) error { return nil }, func(oponn.LoggedVote) error { return nil }) == nil
		})
	})
	t.Run("a server that is away is unavailable, and found again", func(t *testing.T) {
		server := pgtest.NewServer(t)
		store := openStore(t, server.URL())
		subject := storetest.Create(t, store, storetest.Plan{})
		server.Stop(t)
		expect(t, storetest.AppendOne(store, subject.Batch(subject.NewVotes(t, 1))).Err, oponn.CodeStoreUnavailable, "")
		_, err := store.Load(context.Background(), subject.ID)
		expect(t, err, oponn.CodeStoreUnavailable, "")
		server.Start(t)
		done := storetest.AppendOne(store, subject.Batch(subject.NewVotes(t, 1)))
		if done.Err != nil {
			t.Errorf("the first Append after the start gave %v", done.Err)
		}
		subject.Recount(t, store)
	})
	t.Run("transactions that deadlock with others are tried again", func(t *testing.T) {
		url := pgtest.URL(t)
		store := openStore(t, url)
		one, two := storetest.Create(t, store, storetest.Plan{}), storetest.Create(t, store, storetest.Plan{})
		deadlock(t, url, store, one, two, []oponn.Batch{two.Batch(two.NewVotes(t, 2)), one.Batch(one.NewVotes(t, 2))})
	})
	t.Run("so are those that were decided before", func(t *testing.T) {
		url := pgtest.URL(t)
		store := openStore(t, url)
		one, two := storetest.Create(t, store, storetest.Plan{}), storetest.Create(t, store, storetest.Plan{})
		batches := make([]oponn.Batch, 2)
		for i, subject := range []*storetest.Subject{two, one} {
			batches[i] = subject.After(storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 2))), subject.NewVotes(t, 2))
		}
		deadlock(t, url, store, one, two, batches)
	})
}

// deadlock appends batches for two ballots while somebody holds the second of
// them and then asks for the first.
func deadlock(t *testing.T, url string, store oponn.Store, one, two *storetest.Subject, batches []oponn.Batch) {
	t.Helper()
	if one.ID.Compare(two.ID) > 0 {
		one, two = two, one
	}
	foreign := connect(t, url)
	exec(t, foreign, "set deadlock_timeout = '60s'", "begin", lockOf(two))
	done := make(chan []oponn.Appended, 1)
	go func() { done <- store.Append(context.Background(), batches) }()
	awaitLock(t, url)
	exec(t, foreign, lockOf(one), "commit") // the store's is the one that gives way
	for _, d := range <-done {
		if d.Err != nil {
			t.Error(d.Err)
		}
	}
	one.Recount(t, store)
	two.Recount(t, store)
}

// deny makes new and old sessions of the database read-only, or no longer.
func deny(t *testing.T, conn *pgx.Conn, denied bool) {
	t.Helper()
	revoke := "drop trigger if exists denied on heads"
	exec(t, conn, revoke)
	if denied {
		exec(t, conn, `create or replace function deny() returns trigger language plpgsql as
			$$ begin raise sqlstate '25006' using message = 'cannot execute UPDATE in a read-only transaction'; end $$`,
			"create trigger denied before update on heads for each statement execute function deny()")
	}
}
