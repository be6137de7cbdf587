package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	domain "github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/actors/historytest"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// campaign is voters and viewers of two instances, of which everything goes
// wrong that can: `make chaos`.
type campaign struct {
	*cluster
	seed    uint64
	server  *pgtest.Server
	bus     *redistest.Server
	places  []*place
	history *historytest.History

	accepted atomic.Int64 // answers
	ending   chan struct{}
	living   sync.WaitGroup
	striking sync.WaitGroup

	watched   context.Context // of the viewers
	watching  sync.WaitGroup
	witnesses []*witness

	mu         sync.Mutex
	begin      time.Time
	schedule   []string
	complaints map[string]int
	ballots    []ballotOf // the ones that are voted on
	made       []ballotOf // all there are
}

// atLast bounds what has to happen in the end, on however slow a machine.
const atLast = 3 * time.Minute

// ballotOf is a ballot with its owner's key, and whether votes may be changed.
type ballotOf struct {
	ID, OwnerKey string
	changes      bool
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestChaos has everything go wrong that can, in the middle of a load, and
// then holds what every client was told against what is in the database.
// CHAOS_FAULTS says how often, CHAOS_SEED repeats a schedule.
func TestChaos(t *testing.T) {
	faults := setting(t, "CHAOS_FAULTS", 24)
	lifetimeOf(t, time.Duration(faults+60)*5*time.Second)
	c := newCampaign(t, setting(t, "CHAOS_SEED", rand.Uint64()))
	defer c.leave()
	for n := range 8 {
		c.living.Go(c.newCrowdling(n).live)
	}
	c.living.Go(c.own)
	c.strike(t, int(faults))
	c.calm(t)
	c.rest(t)
	c.judge(t, int(faults))
}

// await asks until the answer is yes, with more patience than eventually.
func await(t *testing.T, what string, ask func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); !ask(); <-tick.C {
		if time.Since(begin) > atLast {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// lifetimeOf lets processes live longer.
func lifetimeOf(t *testing.T, d time.Duration) {
	t.Helper()
	before := lifetime
	lifetime = max(lifetime, d)
	t.Cleanup(func() { lifetime = before })
}

// newCampaign starts everything there is, with viewers of three ballots.
func newCampaign(t *testing.T, seed uint64) *campaign {
	t.Helper()
	t.Logf("CHAOS_SEED=%d repeats this schedule", seed)
	watched, leave := context.WithCancel(context.Background())
	c := &campaign{cluster: newCluster(t), seed: seed, server: pgtest.NewServer(t), bus: redistest.Start(t), history: historytest.New(),
		ending: make(chan struct{}), watched: watched, begin: time.Now(), complaints: map[string]int{}}
	c.database, c.redis = c.server.URL(), c.bus.URL
	t.Cleanup(func() {
		leave()
		c.watching.Wait()
		if t.Failed() {
			t.Logf("what went wrong when:\n%s", strings.Join(c.schedule, "\n"))
		}
	})
	for _, name := range []string{"one", "other"} {
		c.places = append(c.places, newPlace(t, c.cluster, name))
	}
	c.calm(t)
	for range 3 {
		var b ballotOf
		await(t, "a ballot is made", func() (made bool) {
			b, made = c.create()
			return made
		})
		c.witness(b.ID, c.places[0])
		c.witness(b.ID, c.places[1])
		c.witness(b.ID, c.places...)
	}
	return c
}

// leave ends clients and the service managers; the instances stay.
func (c *campaign) leave() {
	c.mu.Lock()
	if !c.ended() {
		close(c.ending)
	}
	c.mu.Unlock()
	c.striking.Wait()
	c.living.Wait()
	for _, p := range c.places {
		p.leave()
	}
}

func (c *campaign) ended() bool {
	select {
	case <-c.ending:
		return true
	default:
		return false
	}
}

// note writes down what goes wrong.
func (c *campaign) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schedule = append(c.schedule, fmt.Sprintf("%8.3f s  ", time.Since(c.begin).Seconds())+fmt.Sprintf(format, args...))
}

// complain writes down what no client should have met.
func (c *campaign) complain(format string, args ...any) {
	c.note("COMPLAINT: "+format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complaints[fmt.Sprintf(format, args...)]++
}

// current returns the ballots that are voted on.
func (c *campaign) current() []ballotOf {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ballots)
}

// create makes a ballot, which from the fourth on takes the place of an older
// one. On every other one votes may be changed.
func (c *campaign) create() (ballotOf, bool) {
	var made struct {
		ID       string
		OwnerKey string `json:"owner_key"`
		Code     string
	}
	url, changes := "http://"+c.places[len(c.made)%len(c.places)].addr+"/api/v1/ballots", len(c.made)%2 == 1
	status, err := request(http.MethodPost, url, http.Header{},
		map[string]any{"question": "Still there?", "options": []string{"yes", "no"}, "allow_change": changes}, &made)
	if c.fate(status, made.Code, err) != historytest.Accepted {
		return ballotOf{}, false
	}
	b := ballotOf{made.ID, made.OwnerKey, changes}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made = append(c.made, b); len(c.ballots) == 4 {
		c.ballots = c.ballots[:3]
	}
	c.ballots = append(c.ballots, b)
	return b, true
}

// own closes a ballot and opens it again, and makes others, until the end.
func (c *campaign) own() {
	pause := time.NewTicker(700 * time.Millisecond)
	defer pause.Stop()
	b := c.ballots[0]
	for n := 0; !c.ended(); n++ {
		c.turn(b, false)
		<-pause.C
		c.turn(b, true)
		<-pause.C
		c.create()
		<-pause.C
	}
}

// turn closes or opens a ballot, until that is done.
func (c *campaign) turn(b ballotOf, open bool) {
	status := map[bool]string{true: "open", false: "closed"}[open]
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for n, begin := 0, time.Now(); time.Since(begin) < atLast; n++ {
		var told struct{ Code string }
		answered := c.history.Turn(b.ID, open)
		got, err := request(http.MethodPatch, "http://"+c.places[n%2].addr+"/api/v1/ballots/"+b.ID, http.Header{"Authorization": {"Bearer " + b.OwnerKey}},
			map[string]string{"status": status}, &told)
		fate := c.fate(got, told.Code, err)
		answered(fate)
		if fate == historytest.Accepted {
			return
		}
		<-pause.C
	}
	c.complain("a ballot could not be set to %s in %v", status, atLast)
}

// rest ends the clients, and lets viewers agree.
func (c *campaign) rest(t *testing.T) {
	t.Helper()
	c.leave()
	heads := map[string]uint64{}
	for id, log := range c.logs(t) {
		heads[id] = log.Head
	}
	slow := c.sluggishness(t)
	took := c.agree(t, heads)
	t.Logf("all %d viewers agreed within %v of calm; a request that does nothing took %v", len(c.witnesses), took.Round(time.Millisecond), slow.Round(time.Millisecond))
	if took > 2*time.Second+20*slow {
		t.Errorf("viewers took %v to agree, want 2 s", took)
	}
	again := c.newCrowdling(100)
	for _, w := range c.witnesses {
		again.read(w.ballot)
	}
}

// sluggishness returns how long a request takes that hardly does anything: on
// a machine that is busy with other things all takes longer.
func (c *campaign) sluggishness(t *testing.T) time.Duration {
	t.Helper()
	begin := time.Now()
	for _, p := range c.places {
		p.now().readiness(t)
	}
	return time.Since(begin)
}

// logs reads what is kept of every ballot.
func (c *campaign) logs(t *testing.T) map[string]historytest.Log {
	t.Helper()
	logs := map[string]historytest.Log{}
	c.query(t, "select ballot, version from heads", func(row pgx.Rows) error {
		var ballot [16]byte
		var head int64
		err := row.Scan(&ballot, &head)
		logs[domain.BallotID(ballot).String()] = historytest.Log{Head: uint64(head)}
		return err
	})
	c.query(t, "select ballot, position, version, vote_id::text from votes", func(row pgx.Rows) error {
		var ballot [16]byte
		var position, version int64
		var id string
		err := row.Scan(&ballot, &position, &version, &id)
		log := logs[domain.BallotID(ballot).String()]
		log.Rows = append(log.Rows, historytest.Row{Position: uint64(position), Version: uint64(version), ID: id})
		logs[domain.BallotID(ballot).String()] = log
		return err
	})
	for _, b := range c.made {
		if log, kept := logs[b.ID]; kept && b.changes {
			log.Changes = domain.MaxChanges
			logs[b.ID] = log
		}
	}
	return logs
}

// judge holds the history against the logs.
func (c *campaign) judge(t *testing.T, faults int) {
	t.Helper()
	broken := c.history.Check(c.logs(t))
	for _, b := range broken[:min(len(broken), 20)] {
		t.Error(b)
	}
	for complaint, times := range c.complaints {
		t.Errorf("%d times %s", times, complaint)
	}
	streams, starts := int64(0), 0
	for _, w := range c.witnesses {
		streams += w.streams.Load()
	}
	for _, p := range c.places {
		starts += p.starts()
	}
	lost := c.places[0].commits.Lost() + c.places[1].commits.Lost()
	f := c.history.Figures()
	t.Logf("%d faults in %v: %d instances started, %d COMMITs cut, %d streams; %+v; %d promises broken",
		faults, time.Since(c.begin).Round(time.Second), starts, lost, streams, f, len(broken))
	if f.Acknowledged < faults {
		t.Errorf("only %d votes were acknowledged: little was tested", f.Acknowledged)
	}
	c.mustVerify(t)
	for _, p := range c.places {
		wantGoodEnd(t, p.now())
	}
}
