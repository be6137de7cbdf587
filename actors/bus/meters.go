package bus

import (
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn"
)

// WithMeter has the bus be counted; by nobody by default.
func WithMeter(meter oponn.Meter) Option { return func(s *settings) { s.meter = meter } }

// publishBounds are for a round trip to Redis, in seconds.
var publishBounds = []float64{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 0.25, 1}

// meters is what a bus counts with.
type meters struct {
	published, failed          oponn.Counter
	took                       oponn.Histogram
	heads, gone, rolls, ages   oponn.Counter
	refused                    oponn.Counter
	connected, broken, resyncs oponn.Counter
}

// newMeters makes the instruments.
func (r *Redis) newMeters(meter oponn.Meter) *meters {
	meter = oponn.Metered(meter)
	published := func(result string) oponn.Counter {
		return meter.Counter(oponn.Metric{Name: "oponn_bus_published_total", Labels: oponn.Labels{"result": result},
			Help: "Notices that were sent to Redis; failed ones may be lost."})
	}
	received := func(kind string) oponn.Counter {
		return meter.Counter(oponn.Metric{Name: "oponn_bus_received_total", Labels: oponn.Labels{"kind": kind},
			Help: "Notices that came from Redis."})
	}
	m := &meters{
		published: published("done"), failed: published("failed"),
		took:  meter.Histogram(oponn.Metric{Name: "oponn_bus_publish_seconds", Help: "Time until Redis had taken a notice."}, publishBounds),
		heads: received("head"), gone: received("gone"), rolls: received("roll"), ages: received("age"),
		refused: meter.Counter(oponn.Metric{Name: "oponn_bus_refused_total",
			Help: "Messages from Redis that were no notice, such as those of newer releases."}),
		connected: meter.Counter(oponn.Metric{Name: "oponn_bus_connects_total",
			Help: "Connections that carry subscriptions and began to; all but the first are made again."}),
		broken: meter.Counter(oponn.Metric{Name: "oponn_bus_disconnects_total",
			Help: "Connections for subscriptions that broke, or were not to be had."}),
		resyncs: meter.Counter(oponn.Metric{Name: "oponn_bus_resyncs_total",
			Help: "Ballots that the store was asked for because notices may have been missed."}),
	}
	meter.Gauge(oponn.Metric{Name: "oponn_bus_followed_ballots", Help: "Ballots with viewers here, whose notices are wanted."}, func() float64 {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return float64(len(r.followed))
	})
	meter.Gauge(oponn.Metric{Name: "oponn_bus_degraded", Help: "1 while Redis is not reached, in part or not at all."}, func() float64 {
		if r.health.check() != nil {
			return 1
		}
		return 0
	})
	r.countPool(meter)
	return m
}

// countPool shows the pool of connections that are not for subscriptions.
func (r *Redis) countPool(meter oponn.Meter) {
	stats := func(of func(*redis.PoolStats) uint32) func() float64 {
		return func() float64 {
			r.mu.RLock()
			client := r.client
			r.mu.RUnlock()
			if client == nil {
				return 0
			}
			return float64(of(client.PoolStats()))
		}
	}
	for state, of := range map[string]func(*redis.PoolStats) uint32{
		"idle": func(s *redis.PoolStats) uint32 { return s.IdleConns },
		"used": func(s *redis.PoolStats) uint32 { return s.TotalConns - min(s.IdleConns, s.TotalConns) },
	} {
		meter.Gauge(oponn.Metric{Name: "oponn_redis_connections", Help: "Pooled connections to Redis.",
			Labels: oponn.Labels{"state": state}}, stats(of))
	}
	for name, of := range map[string]func(*redis.PoolStats) uint32{
		"hit":     func(s *redis.PoolStats) uint32 { return s.Hits },
		"miss":    func(s *redis.PoolStats) uint32 { return s.Misses },
		"timeout": func(s *redis.PoolStats) uint32 { return s.Timeouts },
	} {
		meter.Total(oponn.Metric{Name: "oponn_redis_pool_requests_total", Labels: oponn.Labels{"result": name},
			Help: "Requests for a connection by whether there was an idle one, or none in time."}, stats(of))
	}
	meter.Total(oponn.Metric{Name: "oponn_redis_stale_connections_total", Help: "Pooled connections that were no good any more."},
		stats(func(s *redis.PoolStats) uint32 { return s.StaleConns }))
}

// publishing counts a notice that Redis has taken, or not.
func (m *meters) publishing(begin time.Time, err error) {
	if err != nil {
		m.failed.Add(1)
		return
	}
	m.published.Add(1)
	m.took.Observe(time.Since(begin).Seconds())
}

// received counts a notice that came.
func (m *meters) received(notice oponn.Notice) {
	switch {
	case notice.Gone:
		m.gone.Add(1)
	case notice.Roll != nil:
		m.rolls.Add(1)
	case notice.Age != nil:
		m.ages.Add(1)
	default:
		m.heads.Add(1)
	}
}
