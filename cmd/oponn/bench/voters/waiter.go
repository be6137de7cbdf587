package voters

import (
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
)

// ordinaryWaiter waits by timers of the runtime.
type ordinaryWaiter struct{}

// Until implements Waiter.
func (ordinaryWaiter) Until(at int64) {
	if d := time.Duration(at - monotonic.Now()); d > 0 {
		<-time.After(d)
	}
}

// Close implements Waiter.
func (ordinaryWaiter) Close() {}
