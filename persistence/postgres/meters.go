package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/oponn/oponn"
)

// Meter has the transactions and the pools be measured; by nobody by default.
func Meter(meter oponn.Meter) Option { return func(o *options) { o.meter = meter } }

// stepBounds are for a part of a transaction, in seconds.
var stepBounds = []float64{5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 0.5, 2.5}

// meters is what a store measures with.
type meters struct {
	decide, commit oponn.Histogram
	begun, failed  oponn.Counter
}

func newMeters(meter oponn.Meter) *meters {
	meter = oponn.Metered(meter)
	step := func(name string) oponn.Histogram {
		return meter.Histogram(oponn.Metric{Name: "oponn_store_transaction_step_seconds", Labels: oponn.Labels{"step": name},
			Help: "Time of the two parts of a transaction: until it is decided what to write, and until that is committed."}, stepBounds)
	}
	return &meters{decide: step("decide"), commit: step("commit"),
		begun: meter.Counter(oponn.Metric{Name: "oponn_store_transactions_total", Help: "Attempts of transactions that write."}),
		failed: meter.Counter(oponn.Metric{Name: "oponn_store_transactions_failed_total",
			Help: "Attempts of transactions that were not committed, or not known to be."}),
	}
}

// attempted counts an attempt of a transaction.
func (m *meters) attempted(err error) {
	m.begun.Add(1)
	if err != nil {
		m.failed.Add(1)
	}
}

// decided and committed measure a part that began then.
func (m *meters) decided(begin time.Time)   { m.decide.Observe(time.Since(begin).Seconds()) }
func (m *meters) committed(begin time.Time) { m.commit.Observe(time.Since(begin).Seconds()) }

// countPools shows how many connections there are, and who had to wait for one.
func (s *Store) countPools() {
	meter := oponn.Metered(s.options.meter)
	for name, pool := range map[string]*pgxpool.Pool{"writers": s.writers, "readers": s.readers} {
		if pool == nil {
			continue
		}
		for state, of := range map[string]func(*pgxpool.Stat) int32{
			"acquired": (*pgxpool.Stat).AcquiredConns, "idle": (*pgxpool.Stat).IdleConns, "connecting": (*pgxpool.Stat).ConstructingConns,
		} {
			meter.Gauge(oponn.Metric{Name: "oponn_postgres_connections", Help: "Connections to Postgres.",
				Labels: oponn.Labels{"pool": name, "state": state}}, func() float64 { return float64(of(pool.Stat())) })
		}
		labels := oponn.Labels{"pool": name}
		meter.Gauge(oponn.Metric{Name: "oponn_postgres_connections_limit", Help: "Connections to Postgres at most.", Labels: labels},
			func() float64 { return float64(pool.Stat().MaxConns()) })
		meter.Total(oponn.Metric{Name: "oponn_postgres_acquires_total", Help: "Connections that were taken from a pool.", Labels: labels},
			func() float64 { return float64(pool.Stat().AcquireCount()) })
		meter.Total(oponn.Metric{Name: "oponn_postgres_acquires_waited_total", Labels: labels,
			Help: "Of these, those that had to wait because none was idle."}, func() float64 { return float64(pool.Stat().EmptyAcquireCount()) })
		meter.Total(oponn.Metric{Name: "oponn_postgres_acquire_wait_seconds_total", Labels: labels,
			Help: "Time that these waited."}, func() float64 { return pool.Stat().EmptyAcquireWaitTime().Seconds() })
		meter.Total(oponn.Metric{Name: "oponn_postgres_acquires_canceled_total", Labels: labels,
			Help: "Those who gave up waiting for a connection."}, func() float64 { return float64(pool.Stat().CanceledAcquireCount()) })
		meter.Total(oponn.Metric{Name: "oponn_postgres_connects_total", Help: "Connections to Postgres that were made.", Labels: labels},
			func() float64 { return float64(pool.Stat().NewConnsCount()) })
	}
}
