package yardstick

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/cmd/oponn/bench"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

const (
	manyVotes   = 10_000_000
	manyBallots = 100_000
	hotBallots  = 1_000
)

// BenchmarkGrowth compares a vote on a ballot of a thousand votes with one on
// larger ones, up to ten million, and with one on a thousand hot ballots among
// a hundred thousand, in turns; and what it takes to wake and to start there.
func BenchmarkGrowth(b *testing.B) {
	server := seasoned(b, "1GB")
	stages := []stage{{name: "10^3 votes", votes: 1000}, {name: "10^5 votes", votes: 100_000}, {name: "10^7 votes", votes: manyVotes},
		{name: "10^5 ballots, 10^3 hot", ballots: manyBallots, hot: hotBallots}}
	for i := range stages {
		stages[i].prepare(b, server, fmt.Sprintf("stage%d", i))
	}
	b.ReportMetric(0, "ns/op")
	for range rounds + 2 { // a thousand ballots swing more than one
		for i := range stages {
			stages[i].run(b)
		}
	}
	picture := chart{file: "growth", title: "processor time of a vote, server and Postgres", unit: "µs"}
	fmt.Printf("\nµs of CPU for a vote, server and Postgres:\n")
	for _, s := range stages {
		times := against(s.costs, stages[0].costs)
		fmt.Printf("%s: %.1f, %.2f times (%s)\n", s.name, median(s.costs), median(times), figures(times))
		picture.bars = append(picture.bars, bar{s.name, median(s.costs), true})
		b.ReportMetric(median(times), "x-cpu-"+strings.ReplaceAll(strings.ReplaceAll(s.name, ",", ""), " ", "-"))
	}
	picture.save(b)
	large, many := stages[2].estate, stages[3].estate
	b.ReportMetric(large.wake(b), "wake-ms")
	idle, rows := stages[0].estate.idle(b), many.idle(b)
	fmt.Printf("idle for five seconds: %s with one ballot, %s with %d\n", idle, rows, manyBallots)
}

// stage is how far a service has grown: one ballot with so many votes, or so
// many ballots of which some are hot.
type stage struct {
	name                string
	votes, ballots, hot int
	estate              *estate
	voted               []string  // the ballots that are voted on
	costs               []float64 // µs of CPU per vote, of each round
}

func (s *stage) prepare(b *testing.B, server *pgtest.Server, name string) {
	b.Helper()
	s.estate = newEstate(b, server, name)
	if s.votes > 0 {
		s.estate.fill(b, s.votes)
	}
	s.voted = []string{s.estate.ballot}
	if s.ballots > 0 {
		s.estate.crowd(b, s.ballots-s.hot)
		for len(s.voted) < s.hot {
			s.voted = append(s.voted, s.estate.open(b))
		}
	}
}

func (s *stage) run(b *testing.B) {
	b.Helper()
	// With 4,000 connections each hot ballot has some voters at any moment.
	plan := bench.Plan{IDs: s.voted, Connections: 4 * hotBallots, Duration: heat}
	s.costs = append(s.costs, perVoteOf(s.estate.load(b, plan)))
}

// estate is a database of its own with a server on it.
type estate struct {
	booth
	server   *process
	database string
	dir      string
	ballot   string
	postgres int
}

func newEstate(b *testing.B, server *pgtest.Server, name string) *estate {
	b.Helper()
	execute(b, server.URL(), "create database "+name)
	e := &estate{database: strings.Replace(server.URL(), "/postgres?", "/"+name+"?", 1), dir: b.TempDir(), postgres: server.PID()}
	e.booth = booth{name: name, honest: true}
	e.start(b)
	e.ballot = e.open(b)
	return e
}

// open opens a ballot.
func (e *estate) open(b *testing.B) (id string) {
	b.Helper()
	return newService(b, strings.TrimPrefix(e.url, "http://"), 0).ballot
}

// start starts the server, which finds its keys where it left them, and
// returns how long it took to answer.
func (e *estate) start(b *testing.B) time.Duration {
	b.Helper()
	begin := time.Now()
	server, addr := startOponn(b, "DATABASE_URL="+e.database, "OPONN_DATA_DIR="+e.dir)
	took := time.Since(begin)
	e.server, e.url, e.pids = server, "http://"+addr, []int{server.pid(), e.postgres}
	return took
}

// fill gives the ballot votes, in bulk: rows of the right size that nobody can
// open, in the order of tags as batches leave them.
func (e *estate) fill(b *testing.B, votes int) {
	b.Helper()
	id := uuidOf(b, e.ballot)
	execute(b, e.database, fmt.Sprintf(`insert into votes (ballot, tag, revision, vote_id, position, version, at, sealed)
		select '%s', tag, 1, gen_random_uuid(), row_number() over (order by tag), 1, now(), decode(repeat('5a', 31), 'hex')
		from (select gen_random_uuid() as tag from generate_series(1, %d)) v order by tag`, id, votes))
	execute(b, e.database, fmt.Sprintf("update heads set position = %d, voters = %d where ballot = '%s'", votes, votes, id))
	execute(b, e.database, "vacuum analyze votes")
	execute(b, e.database, "checkpoint")
}

// crowd adds ballots that nobody can open.
func (e *estate) crowd(b *testing.B, ballots int) {
	b.Helper()
	execute(b, e.database, fmt.Sprintf(`with made as (
		insert into ballots (id, created_at, owner_key, kek, wrapped_dek, commitment, definition)
		select gen_random_uuid(), now(), decode(repeat('5a', 32), 'hex'), 'none', decode(repeat('5a', 64), 'hex'), decode(repeat('5a', 32), 'hex'), decode(repeat('5a', 120), 'hex')
		from generate_series(1, %d) returning id)
		insert into heads (ballot, version, position, voters, write_ins, moved_at, sealed)
		select id, 1, 0, 0, 0, now(), decode(repeat('5a', 120), 'hex') from made`, ballots))
	execute(b, e.database, "vacuum analyze")
	execute(b, e.database, "checkpoint")
}

// wake starts the server anew and returns how long the first look at the
// ballot takes, in ms.
func (e *estate) wake(b *testing.B) float64 {
	b.Helper()
	e.server.stop()
	started := e.start(b)
	ask := func() time.Duration {
		begin := time.Now()
		get(b, e.url+"/api/v1/ballots/"+e.ballot+"/results")
		return time.Since(begin)
	}
	first, second := ask(), ask()
	fmt.Printf("start to first answer %d ms; waking the ballot of 10^7 votes %.1f ms, awake %.1f ms\n",
		started.Milliseconds(), float64(first.Microseconds())/1000, float64(second.Microseconds())/1000)
	return float64(first.Microseconds()) / 1000
}

// idle starts the server anew and says what it uses while nobody comes.
func (e *estate) idle(b *testing.B) string {
	b.Helper()
	e.server.stop()
	e.start(b)
	used := e.server.cpu()
	<-time.After(5 * time.Second)
	return fmt.Sprintf("%d ms of CPU and %.0f MB", (e.server.cpu() - used).Milliseconds(), e.server.rss()/1024)
}

// BenchmarkTwoInstances has two instances with a processor each share one hot
// ballot, and one instance with two processors, in turns.
func BenchmarkTwoInstances(b *testing.B) {
	database := seasoned(b, "512MB")
	execute(b, database.URL(), "create database other")
	other := strings.Replace(database.URL(), "/postgres?", "/other?", 1)
	redis := redistest.Start(b)
	dir := b.TempDir()
	start := func(url, processors string) (*process, string) {
		return startOponn(b, "DATABASE_URL="+url, "OPONN_DATA_DIR="+dir, "REDIS_URL="+redis.URL, "GOMAXPROCS="+processors)
	}
	one, oneAddr := start(other, "2")
	two, twoAddr := start(database.URL(), "1")
	three, threeAddr := start(database.URL(), "1")
	b.ReportMetric(0, "ns/op")
	var rates, costs [2][]float64
	for range rounds {
		for i, plan := range []bench.Plan{
			{Targets: []string{"http://" + oneAddr}, PIDs: []int{one.pid(), database.PID()}},
			{Targets: []string{"http://" + twoAddr, "http://" + threeAddr}, PIDs: []int{two.pid(), three.pid(), database.PID()}},
		} {
			plan.Connections, plan.Duration = 4*hotBallots, heat // a hot ballot has some voters at any moment
			r, err := bench.Run(context.Background(), plan)
			if err != nil {
				b.Fatal(err)
			}
			if r.Checks.Lost > 0 || r.Checks.Doubled > 0 {
				b.Errorf("lost %d, doubled %d", r.Checks.Lost, r.Checks.Doubled)
			}
			rates[i], costs[i] = append(rates[i], r.Votes.PerSecond), append(costs[i], perVoteOf(r))
		}
	}
	shared, cost := against(rates[1], rates[0]), against(costs[1], costs[0])
	fmt.Printf("\ntwo instances with one ballot: %.0f votes/s, %.2f of one instance's %.0f (%s); %.2f times the CPU for a vote (%s)\n",
		median(rates[1]), median(shared), median(rates[0]), figures(shared), median(cost), figures(cost))
	b.ReportMetric(median(shared), "x-one-instance")
}

func execute(b *testing.B, url, statement string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		b.Fatalf("%.60s: %v", statement, err)
	}
}

// uuidOf returns a ballot's id as the database has it.
func uuidOf(b *testing.B, ballot string) string {
	b.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(ballot)
	if err != nil || len(raw) != 16 {
		b.Fatalf("%q is no ballot: %v", ballot, err)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
