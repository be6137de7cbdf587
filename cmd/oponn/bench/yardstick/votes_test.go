package yardstick

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench"
	findings "github.com/oponn/oponn/cmd/oponn/bench/report"
)

const (
	// heat is how long each server is loaded in a round, and rounds how often
	// each has its turn: the machine's mood changes, so that only neighbours
	// compare.
	heat   = 6 * time.Second
	rounds = 3
)

// booth is a server that takes votes.
type booth struct {
	name string
	url  string
	pids []int // with that of its database
	main *process
	// honest ones count what they acknowledge.
	honest bool
}

// BenchmarkVotes has voters vote on one hot ballot as fast as they are
// answered: a bare handler, Oponn with Postgres and with SQLite, and the
// textbook's handler, in turns, with the same client.
func BenchmarkVotes(b *testing.B) {
	for _, connections := range []int{256, 512, 1024} {
		b.Run(fmt.Sprintf("%d_connections", connections), func(b *testing.B) { race(b, connections) })
	}
}

func race(b *testing.B, connections int) {
	b.Helper()
	booths := openBooths(b)
	runs := make(map[string][]*findings.Report)
	for range rounds {
		for _, booth := range booths {
			runs[booth.name] = append(runs[booth.name], booth.load(b, bench.Plan{Connections: connections, Duration: heat}))
		}
	}
	standings := compareVotes(booths, runs)
	drawVotes(b, connections, booths, runs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(standings["oponn, postgres"].rate, "x-bare-rate")
	b.ReportMetric(standings["oponn, postgres"].cpu, "x-bare-cpu")
	b.ReportMetric(standings["oponn, postgres"].rate/standings["textbook"].rate, "x-textbook-rate")
	b.ReportMetric(standings["oponn, sqlite"].rate, "x-bare-rate-sqlite")
	calm(b, booths[0], booths[1], median(perSecond(runs["oponn, postgres"])))
}

// openBooths starts all servers; the two with Postgres share one.
func openBooths(b *testing.B) []booth {
	b.Helper()
	database := seasoned(b, "512MB")
	textbook := seasoned(b, "512MB")
	simple := func(role string, env ...string) (*process, string) {
		addr := freePort(b)
		p := play(b, role, append(env, addrVariable+"="+addr)...)
		await(b, "http://"+addr+"/")
		return p, addr
	}
	bare, bareAddr := simple("bare")
	withPostgres, postgresAddr := startOponn(b, "DATABASE_URL="+database.URL())
	withSQLite, sqliteAddr := startOponn(b)
	book, bookAddr := simple("textbook", databaseVariable+"="+textbook.URL())
	return []booth{
		{name: "bare", url: "http://" + bareAddr, pids: []int{bare.pid()}},
		{name: "oponn, postgres", url: "http://" + postgresAddr, pids: []int{withPostgres.pid(), database.PID()}, main: withPostgres, honest: true},
		{name: "oponn, sqlite", url: "http://" + sqliteAddr, pids: []int{withSQLite.pid()}, honest: true},
		{name: "textbook", url: "http://" + bookAddr, pids: []int{book.pid(), textbook.PID()}},
	}
}

// load runs one load test and insists on honest numbers.
func (s booth) load(b *testing.B, plan bench.Plan) *findings.Report {
	b.Helper()
	plan.Targets, plan.PIDs = []string{s.url}, s.pids
	r, err := bench.Run(context.Background(), plan)
	if err != nil {
		b.Fatalf("%s: %v", s.name, err)
	}
	if c := r.Checks; s.honest && (c.Lost > 0 || c.Doubled > 0) {
		b.Errorf("%s: of %d acknowledged votes %d are lost and %d doubled", s.name, r.Votes.Acknowledged, c.Lost, c.Doubled)
	}
	if len(r.Votes.Refused) > 0 {
		b.Logf("%s: refused %v", s.name, r.Votes.Refused)
	}
	return r
}

// calm measures how long a vote takes at half of what saturates, in commit
// times: those of the transactions at that rate, and what a lonely vote takes,
// whose transaction nobody shares. The bare handler at the same rate tells how
// much of it is the machine's and the tester's. What all have written before is
// brought to the disk before each round: else the kernel does that half a minute
// later, in one of them. What is written in half a minute on end is in the last
// figure.
func calm(b *testing.B, bare, s booth, saturated float64) {
	b.Helper()
	alone := s.load(b, bench.Plan{Connections: 1, Duration: heat / 2}).Votes.Acknowledgement
	plan := bench.Plan{Connections: 400, Rate: saturated / 2, Duration: heat}
	var p50, p99, commit, nothing []float64
	for range rounds {
		bringToDisk(b)
		before, n := s.main.transactions(b)
		half := s.load(b, plan).Votes.Acknowledgement
		after, m := s.main.transactions(b)
		p50, p99, commit = append(p50, half.P50), append(p99, half.P99), append(commit, (after-before)/(m-n))
		nothing = append(nothing, bare.load(b, plan).Votes.Acknowledgement.P99)
	}
	plan.Duration = 5 * heat
	long := s.load(b, plan).Votes.Acknowledgement
	b.ReportMetric(median(p99)/median(commit), "commits-p99")
	fmt.Printf("%s at half of saturation, %.0f votes/s: p50 %s ms, p99 %s ms, a commit %s ms: p99 is %.1f commit times; a lonely vote %.2f ms: %.1f of these; bare: p99 %s ms; over %v on end p50 %.2f ms, p99 %.2f ms\n\n",
		s.name, saturated/2, figures(p50), figures(p99), figures(commit), median(p99)/median(commit), alone.P50, median(p99)/alone.P50, figures(nothing), plan.Duration, long.P50, long.P99)
}

func bringToDisk(b *testing.B) {
	b.Helper()
	if err := exec.CommandContext(b.Context(), "sync").Run(); err != nil {
		b.Fatal(err)
	}
}

// ratio is a server against the bare handler of the same round: the median of
// all rounds.
type ratio struct{ rate, cpu float64 }

// compareVotes prints the table.
func compareVotes(booths []booth, runs map[string][]*findings.Report) map[string]ratio {
	ratios := make(map[string]ratio)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nvotes\tper second\tof bare\teach round\tµs of CPU\tof bare\teach round\tp50 ms\tp99 ms\ttester µs\t")
	for _, s := range booths {
		rates, costs := perSecond(runs[s.name]), perVote(runs[s.name])
		rateRatios, costRatios := against(rates, perSecond(runs["bare"])), against(costs, perVote(runs["bare"]))
		ratios[s.name] = ratio{median(rateRatios), median(costRatios)}
		last := runs[s.name][len(runs[s.name])-1]
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%s\t%.1f\t%.2f\t%s\t%.2f\t%.2f\t%.1f\t\n", s.name, median(rates), median(rateRatios), figures(rateRatios),
			median(costs), median(costRatios), figures(costRatios), last.Votes.Acknowledgement.P50, last.Votes.Acknowledgement.P99, last.Tester.VotersUS)
	}
	_ = w.Flush() // to the terminal
	fmt.Printf("oponn with postgres is %.1f times the textbook\n", ratios["oponn, postgres"].rate/ratios["textbook"].rate)
	return ratios
}

// drawVotes draws rates and costs.
func drawVotes(b *testing.B, connections int, booths []booth, runs map[string][]*findings.Report) {
	b.Helper()
	rate := chart{file: fmt.Sprintf("votes-rate-%d", connections), title: fmt.Sprintf("votes, %d connections", connections), unit: "per second"}
	cost := chart{file: fmt.Sprintf("votes-cpu-%d", connections), title: fmt.Sprintf("processor time of a vote, %d connections", connections), unit: "µs"}
	for _, s := range booths {
		rate.bars = append(rate.bars, bar{s.name, median(perSecond(runs[s.name])), s.honest})
		cost.bars = append(cost.bars, bar{s.name, median(perVote(runs[s.name])), s.honest})
	}
	rate.save(b)
	cost.bars = cost.bars[:len(cost.bars)-1] // the textbook's is off the paper
	cost.save(b)
}

func perSecond(runs []*findings.Report) (rates []float64) {
	for _, r := range runs {
		rates = append(rates, r.Votes.PerSecond)
	}
	return rates
}

// perVote returns the processor time of a vote in µs, of all processes.
func perVote(runs []*findings.Report) (costs []float64) {
	for _, r := range runs {
		costs = append(costs, perVoteOf(r))
	}
	return costs
}

func perVoteOf(r *findings.Report) (cost float64) {
	for _, server := range r.Servers {
		cost += server.USPerVote
	}
	return cost
}

func against(these, those []float64) (ratios []float64) {
	for i := range these {
		ratios = append(ratios, these[i]/those[i])
	}
	return ratios
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func figures(values []float64) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprintf("%.2f", v)
	}
	return strings.Join(texts, " ")
}
