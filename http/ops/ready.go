package ops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how long a part may take to answer.
	patience = 2 * time.Second
	// fresh is how long an answer serves all who ask.
	fresh = time.Second
	// lookEvery is how often parts are asked when nobody else does, so that it
	// is known since when something is wrong.
	lookEvery = 5 * time.Second
)

// Part is something that votes depend on.
type Part struct {
	// Name is a word for people and programs: store, runtime.
	Name string
	// Needed says that without it no vote can be acknowledged: the process is
	// unready then. Without any other part it is only degraded.
	Needed bool
	// Check returns what is wrong with it, or nil. It should heed its context.
	// One that knows since when returns an AilmentError. It is called once at a time.
	Check func(context.Context) error
}

// AilmentError is the error of a part that knows since when something is wrong.
type AilmentError struct {
	Since time.Time
	Err   error
}

// Error implements error.
func (a *AilmentError) Error() string { return a.Err.Error() }

// Unwrap returns what is wrong.
func (a *AilmentError) Unwrap() error { return a.Err }

// ward asks the parts how they are: all who want to know at one moment are
// answered by one look, which costs nothing more for a second.
type ward struct {
	patients []*patient

	mu     sync.Mutex
	parts  []health
	at     time.Time
	flight chan struct{} // closed when the look under way is over; nil: none is
}

// patient is a part and what is known of it.
type patient struct {
	Part
	asked atomic.Bool // and has not answered yet
	ill   atomic.Bool // at the last look
	since time.Time   // when it began to fail; only a look touches it
}

func newWard(parts []Part) *ward {
	w := &ward{}
	for _, part := range parts {
		w.patients = append(w.patients, &patient{Part: part})
	}
	return w
}

// ready says whether votes sent here will be acknowledged.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	parts, err := s.ward.look(r.Context())
	if err != nil {
		return // whoever asked has left
	}
	found := report{Status: statusOf(parts), Parts: parts}
	if began := s.draining.Load(); began != nil {
		found.Status, found.Since = "draining", moment(*began)
	}
	status := http.StatusOK
	if found.Status == "unready" || found.Status == "draining" {
		status = http.StatusServiceUnavailable
	}
	answer(w, r, status, found)
}

// statusOf sums up how the parts are.
func statusOf(parts []health) string {
	status := "ready"
	for _, part := range parts {
		switch {
		case part.OK:
		case part.Needed:
			status = "unready"
		case status == "ready":
			status = "degraded"
		}
	}
	return status
}

// status returns in a word how the process is, and how its parts are.
func (s *Server) status(ctx context.Context) (status string, parts []health) {
	parts, _ = s.ward.look(ctx)
	if s.draining.Load() != nil {
		return "draining", parts
	}
	return statusOf(parts), parts
}

// Watch asks the parts from time to time until the context ends, and logs what
// begins to fail and what is well again.
func (s *Server) Watch(ctx context.Context) {
	turn := time.NewTicker(lookEvery)
	defer turn.Stop()
	ill := make(map[string]bool)
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
		}
		parts, _ := s.ward.look(ctx)
		for _, part := range parts {
			if part.OK == !ill[part.Name] {
				continue
			}
			if ill[part.Name] = !part.OK; part.OK {
				s.log.Info("part is well again", "part", part.Name)
			} else {
				s.log.Warn("part is not well", "part", part.Name, "needed", part.Needed, "since", part.Since, "error", part.Error)
			}
		}
	}
}

// look returns how all parts are, not longer than fresh ago. Its error is the
// context's.
func (w *ward) look(ctx context.Context) ([]health, error) {
	w.mu.Lock()
	if w.parts != nil && time.Since(w.at) < fresh {
		defer w.mu.Unlock()
		return w.parts, nil
	}
	if w.flight == nil {
		w.flight = make(chan struct{})
		go w.examine(w.flight) //nolint:gosec // for all who ask: it outlasts the first
	}
	flight := w.flight
	w.mu.Unlock()
	select {
	case <-flight:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.parts, nil
}

// examine asks all parts at once and gives up on those that don't answer. It
// doesn't depend on anybody's waiting for it.
func (w *ward) examine(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	parts := make([]health, len(w.patients))
	var asked sync.WaitGroup
	for i, p := range w.patients {
		asked.Go(func() { parts[i] = p.examine(ctx) })
	}
	asked.Wait()
	w.mu.Lock()
	w.parts, w.at, w.flight = parts, time.Now(), nil
	w.mu.Unlock()
	close(done)
}

// examine asks one part, and remembers since when it is not well.
func (p *patient) examine(ctx context.Context) health {
	found := health{Name: p.Name, Needed: p.Needed, OK: true}
	err := p.ask(ctx)
	p.ill.Store(err != nil)
	if err == nil {
		p.since = time.Time{}
		return found
	}
	var told *AilmentError
	if p.since.IsZero() {
		p.since = time.Now()
	}
	if errors.As(err, &told) && !told.Since.IsZero() {
		p.since = told.Since
	}
	found.OK, found.Error, found.Since = false, err.Error(), moment(p.since)
	return found
}

// ask calls Check, and returns in time even where that hangs; then it is not
// called again before it has returned.
func (p *patient) ask(ctx context.Context) error {
	if p.asked.Swap(true) {
		return errors.New("no answer yet")
	}
	answered := make(chan error, 1)
	go func() {
		err := p.check(ctx)
		p.asked.Store(false)
		answered <- err
	}()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return errors.New("no answer in time")
	}
}

// check calls Check; a panic is an answer, too.
func (p *patient) check(ctx context.Context) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("check panicked: %v", reason)
		}
	}()
	return p.Check(ctx)
}
