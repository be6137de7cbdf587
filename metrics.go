package oponn

// Meter makes the instruments that parts count and measure with. They are made
// once, when a part starts; their labels have few values, known by then, and
// never an id. It is safe for concurrent use, and so are its instruments.
type Meter interface {
	// Counter makes a sum that only rises. Its name ends in _total. Made again
	// with the same name and labels it is the same one.
	Counter(Metric) Counter

	// Total has such a sum be read from where it is kept, whenever somebody
	// looks. Made again with the same name and labels it is read there instead.
	Total(m Metric, read func() float64)

	// Gauge has a value be read that rises and falls; otherwise it is a Total.
	Gauge(m Metric, read func() float64)

	// Histogram makes a distribution of values, counted up to each of the
	// bounds, which rise. Made again with the same name and labels it is the
	// same one.
	Histogram(m Metric, bounds []float64) Histogram
}

// Metric names an instrument. All of a name have the same Help and the same
// names of labels.
type Metric struct {
	// Name has a prefix of the service and, at its end, the unit: base units,
	// seconds and bytes.
	Name   string
	Help   string
	Labels Labels
}

// Labels tell the instruments of one name apart.
type Labels map[string]string

// Counter is a sum that only rises.
type Counter interface {
	// Add adds to it; n is not negative.
	Add(n int)
}

// Histogram is a distribution of values.
type Histogram interface {
	Observe(value float64)
}

// Metered returns the meter, or one whose instruments do nothing for nil.
func Metered(m Meter) Meter {
	if m == nil {
		return unmetered{}
	}
	return m
}

// unmetered is a Meter, and its instruments.
type unmetered struct{}

func (unmetered) Counter(Metric) Counter                { return unmetered{} }
func (unmetered) Total(Metric, func() float64)          {}
func (unmetered) Gauge(Metric, func() float64)          {}
func (unmetered) Histogram(Metric, []float64) Histogram { return unmetered{} }
func (unmetered) Add(int)                               {}
func (unmetered) Observe(float64)                       {}
