package http

import (
	"math/rand/v2"
	"sync"

	"github.com/oponn/oponn"
)

// sink is the mailbox between a subscriber actor and the goroutine that writes
// to the viewer: one frame, of which the latest wins, one beat and the end.
type sink struct {
	wake chan struct{} // holds one: something is there
	sent *cell

	mu      sync.Mutex
	frame   *oponn.Frame
	beat    bool
	end     oponn.EndReason
	writing bool
	taken   uint64 // deliveries
	left    bool
}

func newSink(to *tally) *sink {
	return &sink{wake: make(chan struct{}, 1), sent: to.by(rand.Int32())} //nolint:gosec // any will do
}

// delivery is what there is to write at once, in this order.
type delivery struct {
	frame *oponn.Frame
	beat  bool
	end   oponn.EndReason
}

// Offer implements oponn.Sink.
func (s *sink) Offer(frame *oponn.Frame) {
	s.put(func() {
		if s.frame != nil {
			s.sent.conflated.Add(1)
		}
		if s.frame == nil || frame.Version > s.frame.Version {
			s.frame = frame
		}
	})
}

// Beat implements oponn.Sink.
func (s *sink) Beat() { s.put(func() { s.beat = true }) }

// End implements oponn.Sink. The first reason counts.
func (s *sink) End(reason oponn.EndReason) {
	s.put(func() {
		if s.end == "" {
			s.end = reason
		}
	})
}

// Flush implements oponn.Sink.
func (s *sink) Flush() oponn.Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return oponn.Progress{Taken: s.taken, Waiting: s.writing || s.frame != nil || s.end != "", Done: s.left}
}

// Close implements oponn.Sink. What is being written is left to its patience.
func (s *sink) Close() { s.End(oponn.EndFault) }

// depart says that nobody takes anything any more.
func (s *sink) depart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

func (s *sink) put(change func()) {
	s.mu.Lock()
	change()
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what is there and says whether it is anything. The caller
// writes it and calls written.
func (s *sink) take() (d delivery, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d = delivery{frame: s.frame, beat: s.beat, end: s.end}
	s.frame, s.beat = nil, false
	s.writing = d != delivery{}
	return d, s.writing
}

func (s *sink) written() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing, s.taken = false, s.taken+1
}
