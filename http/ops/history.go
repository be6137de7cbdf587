package ops

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/oponn/oponn/views/console"
)

// The history is a sample now and then of a few numbers, whoever looks: a
// quarter of an hour of them is 10 KB.
const (
	sampleEvery = 5 * time.Second
	historyFor  = 15 * time.Minute
	samplesKept = int(historyFor/sampleEvery) + 1
)

// Names of the metrics that the console reads.
const (
	metricCommit = "oponn_writer_transaction_seconds"
	metricScreen = "oponn_vote_to_screen_seconds"

	metricAlive    = "oponn_actors_alive"
	metricMailbox  = "oponn_actor_mailbox_messages"
	metricMessages = "oponn_actor_messages_total"
	metricWaited   = "oponn_actor_mailbox_seconds"
)

// sampled are those that samples are made of.
var sampled = []string{metricCommit, metricScreen, metricMessages, metricWaited}

// sample is what was measured between two looks. A time is NaN when nothing
// happened that takes it.
type sample struct {
	votes, streams       float64
	commit, commitMedian float64 // seconds; the first of each is the 99th percentile
	screen, screenMedian float64
}

// history is the last samples, the newest last. It is safe for concurrent use.
type history struct {
	mu        sync.Mutex
	samples   []sample
	before    Reading
	committed uint64
	kinds     map[string]console.Kind // what they did between the last two samples
}

// add takes a sample of what has happened since the one before, and returns the
// votes per second.
func (h *history) add(now Reading, committed uint64, streams int) (votes float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := sample{streams: float64(streams)}
	if past := now.At.Sub(h.before.At).Seconds(); !h.before.At.IsZero() && past > 0 {
		s.votes = float64(committed-h.committed) / past
	}
	h.kinds = h.kindsUntil(now)
	s.commit, s.commitMedian = h.took(now, metricCommit)
	s.screen, s.screenMedian = h.took(now, metricScreen)
	h.before, h.committed = now, committed
	if len(h.samples) == samplesKept {
		h.samples = append(h.samples[:0], h.samples[1:]...)
	}
	h.samples = append(h.samples, s)
	return s.votes
}

// took returns the 99th percentile and the median of the times since the sample
// before.
func (h *history) took(now Reading, name string) (most, median float64) {
	since := now.Values(name).Since(h.before.Values(name))
	if since.Count == 0 {
		return math.NaN(), math.NaN()
	}
	return since.Quantile(0.99), since.Quantile(0.5)
}

// kindsUntil returns what each kind of actor has done since the sample before.
func (h *history) kindsUntil(now Reading) map[string]console.Kind {
	kinds := make(map[string]console.Kind)
	past, earlier := now.At.Sub(h.before.At).Seconds(), h.before.By(metricMessages, "kind")
	for kind, sum := range now.By(metricMessages, "kind") {
		waited := now.Values(metricWaited, "kind", kind).Since(h.before.Values(metricWaited, "kind", kind))
		k := console.Kind{Name: kind, Waited: waited.Quantile(0.99)}
		if !h.before.At.IsZero() && past > 0 {
			k.Messages = (sum - earlier[kind]) / past
		}
		kinds[kind] = k
	}
	return kinds
}

// withDepths returns the kinds of actors, with how many there are now and what
// waits for them.
func (h *history) withDepths(now Reading) []console.Kind {
	alive, waiting := now.By(metricAlive, "kind"), now.By(metricMailbox, "kind")
	h.mu.Lock()
	defer h.mu.Unlock()
	var kinds []console.Kind
	for _, kind := range slices.Sorted(maps.Keys(h.kinds)) {
		k := h.kinds[kind]
		k.Alive, k.Waiting = int(alive[kind]), int(waiting[kind])
		kinds = append(kinds, k)
	}
	return kinds
}

// charts draws the history.
func (h *history) charts() []console.Chart {
	h.mu.Lock()
	defer h.mu.Unlock()
	line := func(name string, of func(sample) float64) console.Line {
		points := make(console.Points, len(h.samples))
		for i, s := range h.samples {
			points[i] = of(s)
		}
		return console.Line{Name: name, Points: points}
	}
	const every = float64(sampleEvery / time.Second)
	return []console.Chart{
		{Name: "votes/s", Every: every, Lines: []console.Line{line("", func(s sample) float64 { return s.votes })}},
		{Name: "commit", Unit: "s", Every: every, Lines: []console.Line{
			line("p99", func(s sample) float64 { return s.commit }), line("p50", func(s sample) float64 { return s.commitMedian })}},
		{Name: "vote to screen", Unit: "s", Every: every, Lines: []console.Line{
			line("p99", func(s sample) float64 { return s.screen }), line("p50", func(s sample) float64 { return s.screenMedian })}},
		{Name: "streams", Every: every, Lines: []console.Line{line("", func(s sample) float64 { return s.streams })}},
	}
}
