package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/oponn/oponn/keys/kmstest"
)

// fault is something that goes wrong, and how it comes right again.
type fault struct {
	name  string
	begin func()
	end   func()
	// lasts is how long it goes wrong.
	lasts time.Duration
}

// faults returns what can go wrong in each lane: faults of one lane come one
// after the other, those of different lanes at the same time. The choice and
// the length depend on the dice alone.
func (c *campaign) faults(t *testing.T) map[string]func(dice *rand.Rand) fault {
	return map[string]func(dice *rand.Rand) fault{
		"instances": func(dice *rand.Rand) fault { return c.faultOfInstance(t, dice) },
		"wires":     func(dice *rand.Rand) fault { return c.faultOfWire(t, dice) },
		"services":  func(dice *rand.Rand) fault { return c.faultOfService(t, dice) },
	}
}

// between rolls a time.
func between(dice *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(dice.Int64N(int64(most-least)))
}

// faultOfInstance ends or freezes one.
func (c *campaign) faultOfInstance(t *testing.T, dice *rand.Rand) fault {
	n := dice.IntN(len(c.places))
	p := c.places[n]
	back := func() {
		await(t, "an instance is back", func() bool { return p.now().readAddresses("") && p.now().readiness(t) != 0 })
	}
	switch dice.IntN(6) {
	case 0, 1, 2:
		return fault{name: fmt.Sprintf("kill -9 instance %d", n), begin: func() { p.signal(syscall.SIGKILL); <-p.now().exited }, end: back, lasts: between(dice, 0, 300*time.Millisecond)}
	case 3:
		return fault{name: fmt.Sprintf("SIGTERM to instance %d", n), begin: func() { p.signal(syscall.SIGTERM) }, end: back, lasts: between(dice, 100*time.Millisecond, time.Second)}
	default:
		return fault{name: fmt.Sprintf("freeze instance %d", n), begin: func() { p.signal(syscall.SIGSTOP) }, end: func() { p.signal(syscall.SIGCONT) },
			lasts: between(dice, 50*time.Millisecond, 3*time.Second)}
	}
}

// faultOfWire does harm to what passes between an instance and its services.
func (c *campaign) faultOfWire(t *testing.T, dice *rand.Rand) fault {
	n := dice.IntN(len(c.places))
	p := c.places[n]
	w, service := p.postgres, "Postgres"
	if dice.IntN(3) == 0 {
		w, service = p.redis, "Redis"
	}
	way := []string{requests, answers}[dice.IntN(2)]
	f := fault{end: func() { w.mend(t) }, lasts: between(dice, 50*time.Millisecond, time.Second)}
	toxic := func(kind, attribute string, value int) {
		f.name = fmt.Sprintf("%s with %s %d on the %s way from instance %d to %s", kind, attribute, value, way, n, service)
		f.begin = func() { w.poison(t, kind, way, attribute, value) }
	}
	switch dice.IntN(10) {
	case 0:
		toxic("reset_peer", "timeout", dice.IntN(20))
	case 1:
		toxic("limit_data", "bytes", dice.IntN(4000))
	case 2:
		toxic("timeout", "timeout", dice.IntN(1000)) // what passes is lost, until the end
	case 3:
		toxic("latency", "latency", 1+dice.IntN(300))
	case 4:
		f.name, f.begin = fmt.Sprintf("cut instance %d off from %s", n, service), w.cut
	case 5:
		f.name = fmt.Sprintf("cut instance %d off from everything", n)
		f.begin, f.end = func() { p.postgres.cut(); p.redis.cut() }, func() { p.postgres.mend(t); p.redis.mend(t) }
	default:
		committed := dice.IntN(2) == 0
		f.name = fmt.Sprintf("cut a COMMIT of instance %d, committed: %v", n, committed)
		f.begin, f.end = func() { p.commits.LoseNextCommit(committed) }, func() {}
	}
	return f
}

// faultOfService stops a service, or has it refuse.
func (c *campaign) faultOfService(t *testing.T, dice *rand.Rand) fault {
	f := fault{lasts: between(dice, 50*time.Millisecond, 800*time.Millisecond)}
	switch dice.IntN(6) {
	case 0, 1:
		f.name, f.begin, f.end = "stop Postgres at once", func() { c.server.Crash(t) }, func() { c.server.Start(t) }
	case 2:
		f.name, f.begin, f.end = "stop Redis at once", func() { c.bus.Stop(t) }, func() { c.bus.Start(t) }
	default:
		kind := []struct {
			name  string
			fault kmstest.Fault
		}{{"throttled", kmstest.Throttled}, {"down", kmstest.Down}, {"slow", kmstest.Fault{Delay: time.Minute}}, {"denied", kmstest.Denied}}[dice.IntN(4)]
		f.name, f.begin, f.end = "KMS is "+kind.name, func() { c.kms.Fail(kind.fault) }, c.kms.Heal
	}
	return f
}

// strike lets n faults happen, in all lanes.
func (c *campaign) strike(t *testing.T, n int) {
	left := make(chan int, n)
	for i := range n {
		left <- i
	}
	close(left)
	for lane, roll := range c.faults(t) {
		dice := rand.New(rand.NewPCG(c.seed, uint64(len(lane))))
		c.striking.Go(func() {
			pause := time.NewTimer(0)
			defer pause.Stop()
			<-pause.C
			wait := func(d time.Duration) {
				pause.Reset(d)
				<-pause.C
			}
			for range left {
				f := roll(dice)
				c.note("%s for %v", f.name, f.lasts.Round(time.Millisecond))
				f.begin()
				wait(f.lasts)
				f.end()
				c.note("over: %s", f.name)
				wait(between(dice, 50*time.Millisecond, 600*time.Millisecond))
				// The next one shall meet voters again, unless another lane keeps them away.
				for before, tries := c.accepted.Load(), 0; c.accepted.Load() < before+3 && tries < 100; tries++ {
					wait(20 * time.Millisecond)
				}
			}
		})
	}
	c.striking.Wait()
}

// calm mends everything and waits until all instances say that they are well.
func (c *campaign) calm(t *testing.T) {
	t.Helper()
	c.kms.Heal()
	for _, p := range c.places {
		p.heal(t)
	}
	for _, p := range c.places {
		await(t, "an instance is ready", func() bool {
			status, body := 0, ""
			if s := p.now(); s.readAddresses("") {
				status, body = fetch(t, s.ops+"/readyz")
			}
			return status == http.StatusOK && body[:5] == "ready"
		})
	}
}
