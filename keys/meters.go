package keys

import (
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/oponn/oponn"
)

// WithMeter has the cache of opened keys be counted; by nobody by default.
func WithMeter(meter oponn.Meter) Option { return func(s *settings) { s.meter = meter } }

// cacheMeters is what the cache counts with.
type cacheMeters struct{ hits, misses, stale, evicted oponn.Counter }

func newCacheMeters(meter oponn.Meter, c *cache, size int) cacheMeters {
	meter = oponn.Metered(meter)
	meter.Gauge(oponn.Metric{Name: "oponn_keys_cached", Help: "Opened keys of ballots in the cache."}, func() float64 { return float64(c.opened.Len()) })
	meter.Gauge(oponn.Metric{Name: "oponn_keys_cached_limit", Help: "Opened keys in the cache at most."}, func() float64 { return float64(size) })
	request := func(result string) oponn.Counter {
		return meter.Counter(oponn.Metric{Name: "oponn_keys_cache_requests_total", Labels: oponn.Labels{"result": result},
			Help: "Requests for a ballot's key: found in the cache, not found, or found too old while the master key was out of reach."})
	}
	return cacheMeters{hits: request("hit"), misses: request("miss"), stale: request("stale"),
		evicted: meter.Counter(oponn.Metric{Name: "oponn_keys_cache_evictions_total", Help: "Opened keys that made room for another."})}
}

// kmsBounds are for a call to KMS, in seconds.
var kmsBounds = []float64{1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 10}

// verdicts are the names of what became of a call.
var verdicts = map[verdict]string{fine: "ok", untold: "left", unreachable: "unreachable", forbidden: "denied", rejected: "rejected"}

// kmsMeters measures calls to KMS.
type kmsMeters map[operation]map[verdict]oponn.Histogram

// newKMSMeters makes the instruments.
func newKMSMeters(meter oponn.Meter, breaker *gobreaker.CircuitBreaker[struct{}]) kmsMeters {
	m := make(kmsMeters)
	if meter == nil {
		return m
	}
	for _, op := range []operation{opGenerate, opDecrypt, opDescribe} { // those of a server
		m[op] = make(map[verdict]oponn.Histogram)
		for v, name := range verdicts {
			m[op][v] = meter.Histogram(oponn.Metric{Name: "oponn_kms_call_seconds", Help: "Time of a call to KMS with its second attempt.",
				Labels: oponn.Labels{"operation": string(op), "result": name}}, kmsBounds)
		}
	}
	for _, state := range []gobreaker.State{gobreaker.StateClosed, gobreaker.StateHalfOpen, gobreaker.StateOpen} {
		meter.Gauge(oponn.Metric{Name: "oponn_kms_breaker_state", Labels: oponn.Labels{"state": state.String()},
			Help: "1 for the state that the breaker before KMS is in: open, it answers in the place of KMS."}, func() float64 {
			if breaker.State() == state {
				return 1
			}
			return 0
		})
	}
	return m
}

// called measures a call.
func (m kmsMeters) called(op operation, v verdict, begin time.Time) {
	if h := m[op][v]; h != nil {
		h.Observe(time.Since(begin).Seconds())
	}
}
