package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// lookAround is how often all hosts of a URL are asked whether they are the
// primary now.
const lookAround = 2 * time.Second

// lookout looks for a primary that has taken over from the one in use, which
// may have frozen with all connections to it: then they say nothing, and
// nothing ends them. It is only there where a URL names several hosts.
type lookout struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
}

// startLookout looks once, so that the first connection goes to the right
// server, and then all the time.
func (s *Store) startLookout(ctx context.Context) error {
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		return unavailable(err)
	}
	configure(config, looking)
	config.ValidateConnect = nil // a standby is no news, and no error
	names, each := hostsOf(config)
	if len(names) == 1 {
		return nil
	}
	s.look(ctx, names, each)
	ctx, s.lookout.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.lookout.ended.Go(func() {
		turn := time.NewTicker(lookAround)
		defer turn.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-turn.C:
				s.look(ctx, names, each)
			}
		}
	})
	return nil
}

// look asks all hosts at once. One that is silent is given up by its timeout.
func (s *Store) look(ctx context.Context, names []string, each []*pgx.ConnConfig) {
	var asking sync.WaitGroup
	for i, name := range names {
		asking.Go(func() {
			config := each[i].Copy()
			s.options.lineage.hold(config, name)
			if conn, err := pgx.ConnectConfig(ctx, config); err == nil { // else it is the business of who needs it
				_ = conn.Close(ctx)
			}
		})
	}
	asking.Wait()
}

// stopLookout ends it.
func (s *Store) stopLookout() {
	if s.lookout.stop != nil {
		s.lookout.stop()
		s.lookout.ended.Wait()
	}
}
