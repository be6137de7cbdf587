package main_test

import (
	"syscall"
	"testing"
	"time"
)

// TestCluster_RollingRestart replaces three instances that share a port, one
// after the other, in the middle of a load: whoever tries again is served.
func TestCluster_RollingRestart(t *testing.T) {
	c := newCluster(t)
	addr := reservePort(t)
	const delay = "OPONN_DRAIN_DELAY=700ms"
	instances := make([]*server, 3)
	for i := range instances {
		instances[i] = c.serveOn(t, addr, delay)
	}
	ballots := []string{createBallot(t, instances[0], "Rolling?", "yes", "no"), createBallot(t, instances[0], "Still?", "yes", "no")}
	watched := createBallot(t, instances[0], "Watched?", "yes", "no")
	viewers := make([]*viewer, 6)
	for i := range viewers {
		viewers[i] = startViewer(t, instances[0], watched)
		viewers[i].await(t, 1)
	}
	l := startLoad(t, spread(instances[0]), ballots...) // all have this address
	l.more(t, 100)
	for i, old := range instances {
		began := time.Now()
		old.signal(t, syscall.SIGTERM)
		if code := old.awaitExit(t); code != 0 {
			t.Errorf("an instance ended with %d, want 0", code)
		}
		t.Logf("instance %d was gone after %v", i+1, time.Since(began).Round(time.Millisecond))
		if took := time.Since(began); took < 700*time.Millisecond {
			t.Errorf("it ended after %v, sooner than the drain delay", took)
		}
		instances[i] = c.serveOn(t, addr, delay)
		l.more(t, 100)
	}
	wantLag(t, "after all were replaced", lag(t, instances[0], watched, 5, viewers...), time.Second)
	l.wantAllCounted(t, c, instances[2])
	t.Logf("%d requests got no answer, %d were told of the drain", l.answers["no answer"], l.answers["503 draining"])
	wantGoodEnd(t, instances...)
}
