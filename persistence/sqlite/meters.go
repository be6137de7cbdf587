package sqlite

import (
	"time"

	"github.com/oponn/oponn"
)

// Meter has the transactions be measured; by nobody by default.
func Meter(meter oponn.Meter) Option { return func(s *Store) { s.meter = meter } }

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

// decided and committed measure a part that began then. What is to be written
// is written while it is decided: only the commit waits for the disk.
func (m *meters) decided(begin time.Time)   { m.decide.Observe(time.Since(begin).Seconds()) }
func (m *meters) committed(begin time.Time) { m.commit.Observe(time.Since(begin).Seconds()) }
