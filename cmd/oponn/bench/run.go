package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
	"github.com/oponn/oponn/cmd/oponn/bench/procstat"
	"github.com/oponn/oponn/cmd/oponn/bench/report"
	"github.com/oponn/oponn/cmd/oponn/bench/viewers"
	"github.com/oponn/oponn/cmd/oponn/bench/voters"
	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// Run carries out a plan and reports. When the context ends early, the report
// is about what has happened until then, with the context's error beside it.
func Run(ctx context.Context, plan Plan) (*report.Report, error) {
	plan = plan.withDefaults()
	if err := plan.check(); err != nil {
		return nil, err
	}
	targets, err := parseTargets(plan.Targets)
	if err != nil {
		return nil, err
	}
	if !plan.OwnThis {
		if err := refuseForeign(ctx, targets); err != nil {
			return nil, err
		}
	}
	t := &test{plan: plan, targets: targets, api: newAPI(targets, plan.Insecure), started: time.Now()}
	defer t.api.close()
	if err := t.prepare(ctx); err != nil {
		return nil, err
	}
	return t.run(ctx)
}

// test is a plan being carried out.
type test struct {
	plan    Plan
	targets []*url.URL
	api     *api
	started time.Time
	telling sync.Mutex

	ballots  []voters.Ballot
	before   []tally
	tokens   *tokens
	audience audience
	watch    *watch // of the server's processes
	votes    *voters.Result
	after    []tally
	crowds   []*viewers.Result

	// The processes' use at the borders of phases.
	atStart, atIdle, atVote, atEnd marks
	// What this process had used when votes began and ended.
	cpuVote, cpuEnd time.Duration
	// watching and watched are the viewers' progress when votes began and ended.
	watching, watched         viewers.Progress
	beganVoting, endedVoting  int64
	tokensBefore, tokensAfter int64
}

// prepare opens ballots and fetches voter tokens.
func (t *test) prepare(ctx context.Context) error {
	t.ballots, t.before = make([]voters.Ballot, t.plan.Ballots), make([]tally, t.plan.Ballots)
	group, opening := errgroup.WithContext(ctx)
	group.SetLimit(tokenFlights)
	for i := range t.ballots {
		group.Go(func() (err error) {
			if len(t.plan.IDs) > 0 {
				t.ballots[i], err = t.api.ballot(opening, t.plan.IDs[i])
			} else {
				t.ballots[i], err = t.api.openBallot(opening, i, t.plan.Options)
			}
			if err == nil {
				t.before[i], err = t.api.results(opening, t.ballots[i].ID, 0)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if t.plan.Connections == 0 || t.plan.Form {
		return nil
	}
	return t.prepareTokens(ctx)
}

func (t *test) prepareTokens(ctx context.Context) (err error) {
	n, enough := t.plan.wantedTokens()
	t.tokens, err = fetchTokens(ctx, t.api, n, enough, func(done int64) {
		t.tell(Progress{Phase: "prepare", Done: min(done, n), Total: n})
	})
	return err
}

func (t *test) tell(p Progress) {
	if t.plan.Progress != nil {
		t.telling.Lock()
		defer t.telling.Unlock()
		t.plan.Progress(p)
	}
}

// run has viewers join and voters vote, and puts the report together.
func (t *test) run(ctx context.Context) (*report.Report, error) {
	t.watch = startWatch(t.plan.PIDs)
	defer t.watch.end()
	var err error
	if t.atStart, err = t.watch.mark(); err != nil {
		return nil, err
	}
	if t.plan.Viewers > 0 {
		if err := t.gather(ctx); err != nil {
			return nil, err
		}
		if !t.plan.JoinWhileVoting {
			t.audience.await(ctx, t.plan.Join+t.plan.Settle, t.audience.joined, t.tellJoining)
			wait(ctx, t.plan.Rest)
		}
	}
	if t.atIdle, err = t.watch.mark(); err != nil {
		return nil, errors.Join(err, t.disperse())
	}
	voting := t.vote(ctx)
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = errors.Join(voting, t.finish(finishing), t.disperse())
	if err != nil {
		return nil, err
	}
	return t.report(), context.Cause(ctx)
}

// vote has voters vote, or waits as long where there are none.
func (t *test) vote(ctx context.Context) (err error) {
	if t.atVote, err = t.watch.mark(); err != nil {
		return err
	}
	t.cpuVote, t.beganVoting = procstat.Self(), monotonic.Now()
	t.watching = t.audience.progress()
	if t.tokens != nil {
		t.tokensBefore = t.tokens.fetched.Load()
	}
	if t.plan.Connections > 0 {
		err = t.cast(ctx)
	} else {
		t.idle(ctx)
	}
	if t.tokens != nil {
		t.tokensAfter = t.tokens.fetched.Load()
	}
	t.cpuEnd, t.endedVoting = procstat.Self(), monotonic.Now()
	t.watched = t.audience.progress()
	var gone error
	t.atEnd, gone = t.watch.mark()
	return errors.Join(err, gone)
}

func (t *test) cast(ctx context.Context) error {
	guarding, stop := context.WithCancel(ctx)
	defer stop()
	c := voters.Config{
		Ballots: t.ballots, HotShare: t.plan.HotShare, Connections: t.plan.Connections, Rate: t.plan.Rate, Ramp: t.plan.Ramp,
		Duration: t.plan.Duration, Votes: t.plan.Votes, Form: t.plan.Form, Repeats: t.plan.Repeats,
		Tries: t.plan.Tries, Deadline: t.plan.Deadline, Now: monotonic.Now, Dial: t.dial(guarding),
	}
	if t.tokens != nil {
		c.Tokens = t.tokens
		defer t.tokens.keepUp(ctx)()
	}
	load, err := voters.Start(c)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer t.every(func() { t.tellVoting(load.Progress()) })()
	t.votes, err = load.Run(ctx)
	return err
}

// dial makes connections that are spread over the targets.
func (t *test) dial(ctx context.Context) func(i int) (wire.Conn, error) {
	watchdog := wire.StartWatchdog(ctx, max(t.plan.Patience/20, 10*time.Millisecond))
	dialers := make([]*wire.Dialer, len(t.targets))
	for i, u := range t.targets {
		dialers[i] = &wire.Dialer{Target: u, Patience: t.plan.Patience, Watch: watchdog, Insecure: t.plan.Insecure}
	}
	return func(i int) (wire.Conn, error) { return dialers[i%len(dialers)].New(ctx) }
}

// idle waits for the duration of the plan.
func (t *test) idle(ctx context.Context) {
	defer t.every(func() { t.tellVoting(voters.Progress{}) })()
	wait(ctx, t.plan.Duration)
}

// wait waits, at most until the context ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// every calls do now and then until end is called.
func (t *test) every(do func()) (end func()) {
	if t.plan.Progress == nil {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				do()
			case <-stop:
				return
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

func (t *test) tellVoting(v voters.Progress) {
	p := Progress{Phase: "vote", Acknowledged: v.Acknowledged, Refused: v.Refused}
	seen := t.audience.progress()
	p.Frames, p.Watching = seen.Frames, seen.Watching
	if t.plan.Votes > 0 {
		p.Done, p.Total = v.Acknowledged, t.plan.Votes
	} else {
		p.Total = int64(t.plan.Duration.Seconds() * 10)
		p.Done = min((monotonic.Now()-t.beganVoting)/int64(100*time.Millisecond), p.Total)
	}
	t.tell(p)
}

func (t *test) tellJoining(p viewers.Progress) {
	t.tell(Progress{Phase: "join", Done: int64(p.Joined), Total: int64(t.plan.Viewers), Watching: p.Watching, Frames: p.Frames})
}

// finish asks for the final results and lets viewers get them.
func (t *test) finish(ctx context.Context) error {
	t.after = make([]tally, len(t.ballots))
	final := make([]uint64, len(t.ballots))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(tokenFlights)
	for i, b := range t.ballots {
		group.Go(func() (err error) {
			var after uint64
			if t.votes != nil {
				after = t.votes.Versions[i]
			}
			t.after[i], err = t.api.results(asking, b.ID, after)
			final[i] = t.after[i].Version
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if t.plan.Viewers > 0 {
		t.audience.expect(final)
		t.audience.await(ctx, t.plan.Settle, t.audience.settled, func(p viewers.Progress) {
			t.tell(Progress{Phase: "settle", Done: int64(t.plan.Viewers - max(p.Behind, 0)), Total: int64(t.plan.Viewers), Watching: p.Watching, Frames: p.Frames})
		})
	}
	return nil
}

func machine() report.Machine {
	return report.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()}
}
