package voters

import (
	"context"
	"math"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// driver is an open loop in one goroutine on one thread: it sends a vote at
// once when it is due and reads an answer at once when it is there. To hand
// votes to goroutines costs the machine several times as much, which the server
// under test then lacks.
type driver struct {
	dispatcher
	ctx    context.Context
	poller poller
	seats  []seat
	// idle are the seats that have nothing to do, the one that has been so for
	// longest first: all connections take part, as they do with goroutines.
	idle line
	// full says that a vote was due and no seat was idle.
	full bool
	// beat is the least time between two looks at what has come, and met when
	// there was one last.
	beat, met int64
	// look is when to look for exchanges that last too long, every so often.
	look  int64
	every int64

	mu   sync.Mutex
	back []errand // those that are done
	// away is how many seats wait for an errand. Only the loop uses it.
	away int
}

// seat is a voter with its connection.
type seat struct {
	*voter
	wire  *wire.Driven
	index int
	// asked is since when the exchange is under way, if one is.
	asked int64
}

// errand is something a seat waits for, and what comes after it.
type errand struct {
	seat *seat
	err  error
	then func(*seat, error)
}

// atOnce is how many votes are sent at most before answers are looked at, and
// how many answers are looked for at once.
const atOnce = 16

// Where votes come faster than flood a second, the loop looks for answers and
// for what is due once in each beat. To wake up for every vote, and have the
// server wake up for every vote, would cost the two of them as much as the votes.
// That a vote is sent later, or its answer seen later, counts as its latency.
const (
	flood = 5000
	beat  = 500 * time.Microsecond
)

// drive is the open loop in one goroutine, if there can be one.
func (l *Load) drive(ctx context.Context, conns []wire.Conn) bool {
	d, ok := newDriver(ctx, l, conns)
	if !ok {
		return false
	}
	defer d.poller.close()
	d.connect()
	d.start()
	d.run()
	return true
}

// newDriver says no where one vote takes several exchanges, where a connection
// can't be driven, and where somebody else does the waiting.
func newDriver(ctx context.Context, l *Load, conns []wire.Conn) (*driver, bool) {
	c := &l.config
	if c.Wait != nil || c.Form || c.Repeats > 0 {
		return nil, false
	}
	d := &driver{dispatcher: dispatcher{load: l}, ctx: ctx, seats: make([]seat, len(conns)), idle: newLine(len(conns)), every: math.MaxInt64}
	for i, conn := range conns {
		driven, ok := wire.Drive(conn)
		if !ok {
			return nil, false
		}
		d.seats[i] = seat{voter: newVoter(l, i, conn), wire: driven, index: i}
		d.idle.push(i)
		d.every = min(d.every, int64(max(driven.Patience()/20, 10*time.Millisecond)))
	}
	if c.Rate > flood {
		d.beat = int64(beat)
	}
	var err error
	if d.poller, err = newPoller(); err != nil {
		return nil, false
	}
	return d, true
}

// connect opens all connections ahead of the votes, which would have to wait
// for them in a crowd. One that can't be opened is tried again by a vote.
func (d *driver) connect() {
	var connecting errgroup.Group
	connecting.SetLimit(atOnce)
	for i := range d.seats {
		connecting.Go(func() error { return d.seats[i].wire.Connect(d.ctx) })
	}
	_ = connecting.Wait()
	for i := range d.seats {
		if s := &d.seats[i]; s.wire.FD() >= 0 && d.poller.add(s.wire.FD(), i) != nil {
			s.wire.Close()
		}
	}
}

// start begins the time of the run.
func (d *driver) start() {
	d.load.start()
	d.dispatcher = newDispatcher(d.load)
}

func (d *driver) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	told := make(chan struct{})
	unless := context.AfterFunc(d.ctx, func() { d.poller.wake(); close(told) })
	defer func() {
		if !unless() {
			<-told
		}
	}()
	for more := true; more && d.ctx.Err() == nil; {
		more = d.turn()
	}
	d.abandon()
	for i := range d.seats {
		d.seats[i].wire.Close()
		d.seats[i].done()
	}
}

// turn sends what is due, waits for what happens next, and sees to it. It says
// whether more is to come.
func (d *driver) turn() bool {
	now := d.load.config.Now()
	if now >= d.look {
		d.impatient(now)
	}
	d.send()
	due, _ := d.due()
	if due == math.MaxInt64 && d.load.queue.empty() {
		return false
	}
	if d.idle.empty() {
		due = math.MaxInt64 // an answer comes first
	}
	d.rest(due)
	for _, e := range d.poller.wait(min(due, d.look), d.load.config.Now()) {
		d.serve(int(e.Fd))
		d.send()
	}
	return true
}

// rest waits for the next beat, unless there is more to do at once.
func (d *driver) rest(due int64) {
	if d.beat == 0 || d.poller.more {
		return
	}
	now := d.load.config.Now()
	if due <= now {
		return
	}
	if next := d.met + d.beat; now < next {
		d.poller.sleep(next)
		now = next
	}
	d.met = now
}

// send begins the votes that are due, as far as there are idle seats.
func (d *driver) send() {
	for range atOnce {
		due, first := d.due()
		if due > d.load.config.Now() {
			return
		}
		if d.idle.empty() {
			d.full = true
			return
		}
		i := d.idle.pop()
		d.begin(&d.seats[i], d.take(due, first))
	}
}

// begin has a seat send a vote, for the first time or again.
func (d *driver) begin(s *seat, j job) {
	switch {
	case j.again != nil:
		s.vote = *j.again
		d.attempt(s)
	case s.overdue(j):
		d.leave(s)
	default:
		s.vote.due = j.due
		s.choose()
		if token, ok := d.load.config.Tokens.Try(); ok {
			d.named(s, token, nil)
			return
		}
		// The wait for a token counts, and occupies the connection, but nothing
		// else waits for it.
		var token string
		d.errand(s, func() (err error) {
			token, err = d.load.config.Tokens.Token(d.ctx)
			return err
		}, func(s *seat, err error) { d.named(s, token, err) })
	}
}

func (d *driver) named(s *seat, token string, err error) {
	if !s.named(token, err) {
		d.load.queue.over()
		d.leave(s)
		return
	}
	d.attempt(s)
}

// attempt sends a seat's vote once.
func (d *driver) attempt(s *seat) {
	s.begin()
	if s.wire.FD() >= 0 {
		d.ask(s, s.begun)
		return
	}
	d.errand(s, func() error { return s.wire.Connect(d.ctx) }, d.connected)
}

func (d *driver) connected(s *seat, err error) {
	if err == nil {
		if err = d.poller.add(s.wire.FD(), s.index); err != nil {
			err = s.wire.Abort(err)
		}
	}
	if err != nil {
		d.over(s, err)
		return
	}
	d.ask(s, d.load.config.Now())
}

func (d *driver) ask(s *seat, now int64) {
	s.asked = now
	if err := d.ctx.Err(); err != nil {
		d.over(s, s.wire.Abort(err))
		return
	}
	if err := s.wire.Begin(&s.request, &s.response); err != nil {
		d.over(s, err)
	}
}

// over ends an attempt.
func (d *driver) over(s *seat, err error) {
	s.settle(s.end(d.ctx, err))
	d.leave(s)
}

// leave makes a seat idle.
func (d *driver) leave(s *seat) {
	d.idle.push(s.index)
	if d.full {
		d.full, d.free = false, d.load.config.Now()
	}
}

// serve sees to what is ready: a seat, or errands.
func (d *driver) serve(i int) {
	if i < 0 {
		d.collect()
		return
	}
	s := &d.seats[i]
	if s.wire.FD() < 0 {
		return // closed since it was found ready
	}
	if over, err := s.wire.Ready(); over {
		d.over(s, err)
	}
}

// errand does for a seat what may take a while: in a goroutine, of which there
// are no more than seats.
func (d *driver) errand(s *seat, do func() error, then func(*seat, error)) {
	d.away++
	go func() {
		err := do()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.back = append(d.back, errand{s, err, then})
		d.poller.wake() // inside the lock: once all are back, nobody uses the poller
	}()
}

// collect goes on with the seats whose errands are done.
func (d *driver) collect() {
	d.mu.Lock()
	back := d.back
	d.back = nil
	d.mu.Unlock()
	for _, e := range back {
		d.away--
		e.then(e.seat, e.err)
	}
}

// impatient ends exchanges that last too long.
func (d *driver) impatient(now int64) {
	d.look = now + d.every
	for i := range d.seats {
		if s := &d.seats[i]; s.wire.Asked() && now-s.asked >= int64(s.wire.Patience()) {
			d.over(s, s.wire.Abort(context.DeadlineExceeded))
		}
	}
}

// abandon ends what is under way when the context has ended.
func (d *driver) abandon() {
	for d.away > 0 {
		d.poller.wait(math.MaxInt64, d.load.config.Now())
		d.collect()
	}
	for i := range d.seats {
		if s := &d.seats[i]; s.wire.Asked() {
			d.over(s, s.wire.Abort(d.ctx.Err()))
		}
	}
}
