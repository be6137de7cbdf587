package redistest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a Redis of a test's own, which it may stop and start.
type Server struct {
	// URL stays the same over Stop and Start.
	URL string

	launch  launcher
	port    int
	args    []string
	cluster bool
	stop    func() // nil while it is down
}

// Start starts a server with further arguments, ended with the test.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return newServer(tb, false, args)
}

// StartCluster starts a Redis Cluster of one node, ended with the test.
func StartCluster(tb testing.TB) *Server {
	tb.Helper()
	return newServer(tb, true, []string{"--cluster-enabled", "yes"})
}

func newServer(tb testing.TB, cluster bool, args []string) *Server {
	tb.Helper()
	launch, err := chooseLauncher()
	if err != nil {
		tb.Fatal(err)
	}
	port, err := freePort()
	if cluster {
		for err == nil && port > 55_000 { // the cluster's own port is 10,000 above
			port, err = freePort()
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{URL: urlOf(port), launch: launch, port: port, args: args, cluster: cluster}
	s.Start(tb)
	tb.Cleanup(func() { s.Stop(tb) })
	return s
}

// Start starts the server again, empty, and waits until it answers.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	stop, err := s.launch(s.port, s.args)
	if err != nil {
		tb.Fatal(err)
	}
	s.stop = stop
	if err := await(s.URL); err != nil {
		tb.Fatal(err)
	}
	if s.cluster {
		s.takeSlots(tb)
	}
}

// Stop ends the server at once, as a crash would.
func (s *Server) Stop(testing.TB) {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// takeSlots makes the node the whole cluster.
func (s *Server) takeSlots(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	options, err := redis.ParseURL(s.URL)
	if err != nil {
		tb.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	if err := client.ClusterAddSlotsRange(ctx, 0, 16383).Err(); err != nil {
		tb.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		info, err := client.ClusterInfo(ctx).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") {
			return
		}
		if ctx.Err() != nil {
			tb.Fatalf("the cluster doesn't come up: %s %v", info, err)
		}
		<-tick.C
	}
}
