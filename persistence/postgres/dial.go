package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// peerTimeout is how long bytes may stay unacknowledged before the peer counts
// as gone.
const peerTimeout = 10 * time.Second

// dial connects so that a server that vanished is noticed.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control:         limitUnacknowledged,
	}
	return dialer.DialContext(ctx, network, address)
}

// guard keeps pgx from cancelling a COMMIT: when a connection breaks, pgx asks
// the server over a new one to cancel what is running. A COMMIT that waits for
// a synchronous standby would then answer before the standby has it.
type guard struct {
	dial       pgconn.DialFunc
	patience   time.Duration // how long to wait for the answer to a COMMIT
	committing atomic.Bool
}

const guardKey = "oponn guard"

var errCommitting = errors.New("a commit is not cancelled")

func (g *guard) dialUnlessCommitting(ctx context.Context, network, address string) (net.Conn, error) {
	if g.committing.Load() {
		return nil, errCommitting
	}
	return g.dial(ctx, network, address)
}
