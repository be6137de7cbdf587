package main_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// place is where an instance runs, with an address and wires of its own. When
// the instance ends another one is started there, as service managers do.
type place struct {
	addr string
	// commits sees the COMMITs that pass, postgres and redis all.
	commits         *pgtest.Proxy
	postgres, redis *wire

	keeping sync.WaitGroup
	ending  chan struct{}

	mu       sync.Mutex
	instance *server
	started  int
}

// newPlace keeps an instance running until the test ends.
func newPlace(t *testing.T, c *cluster, name string) *place {
	t.Helper()
	p := &place{addr: reservePort(t), ending: make(chan struct{}), commits: pgtest.NewProxy(t, c.database)}
	p.postgres = newWire(t, name+" to Postgres", p.commits.URL())
	p.redis = newWire(t, name+" to Redis", c.redis)
	dir := filepath.Join(t.TempDir(), "data")
	settings := append(c.settings(), "OPONN_ADDR="+p.addr, "OPONN_PUBLIC_URL=http://"+p.addr,
		"DATABASE_URL="+p.postgres.url, "REDIS_URL="+p.redis.url)
	p.start(t, c, dir, settings)
	p.keeping.Go(func() {
		for again := time.NewTicker(50 * time.Millisecond); ; <-again.C {
			select {
			case <-p.ending:
				again.Stop()
				return
			case <-p.now().exited:
				p.start(t, c, dir, settings)
			}
		}
	})
	t.Cleanup(p.leave)
	return p
}

func (p *place) start(t *testing.T, c *cluster, dir string, settings []string) {
	s := c.program.launch(t, dir, settings...)
	s.url = "http://" + p.addr
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instance = s
	p.started++
}

// now returns the instance that runs, or has run last.
func (p *place) now() *server {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.instance
}

// starts returns how many instances were started here.
func (p *place) starts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.started
}

// leave has no further instance started here.
func (p *place) leave() {
	p.mu.Lock()
	select {
	case <-p.ending:
	default:
		close(p.ending)
	}
	p.mu.Unlock()
	p.keeping.Wait()
}

// signal sends a signal to the instance, if one runs.
func (p *place) signal(sig os.Signal) { _ = p.now().cmd.Process.Signal(sig) }

// ready says whether the instance says that it is.
func (p *place) ready(t *testing.T) bool {
	s := p.now()
	return s.readAddresses("") && s.readiness(t) == 200
}

// heal mends the wires and wakes a frozen instance.
func (p *place) heal(t *testing.T) {
	t.Helper()
	p.postgres.mend(t)
	p.redis.mend(t)
	p.signal(syscall.SIGCONT)
}
