package http_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// TestFastPath_Panics: it costs an answer, neither the connection nor the rest.
func TestFastPath_Panics(t *testing.T) {
	bug := func(func() (oponn.Receipt, error)) (oponn.Receipt, error) { panic("a bug") }
	for name, c := range map[string]struct {
		begin func(*world, *testing.T) *client
		way   string
		fail  func(*faults)
	}{
		"while it is waited for": {(*world).inside, "(*fastPath).serve", func(f *faults) { f.cast = bug }},
		"when it is cast": {(*world).client, "(*pending).Begin", func(f *faults) {
			f.castThen = func(func(oponn.Casting)) error { panic("a bug") }
		}},
		"when it is answered": {(*world).client, "(*pending).Answer", func(f *faults) {
			f.castThen = func(told func(oponn.Casting)) error {
				told(casting(func() (oponn.Receipt, error) { panic("a bug") }))
				return nil
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, tuning{})
			b := w.ballot(teaOrCoffee())
			l := c.begin(w, t)
			w.faults.set(c.fail)
			wantProblem(t, l.say(w.one(b.ID)), http.StatusInternalServerError, "internal")
			w.faults.set(func(f *faults) { f.cast, f.castThen = nil, nil })
			l.say(w.one(b.ID)).want(t, http.StatusCreated)
			if !slices.ContainsFunc(w.log.find(t, "handler panicked"), func(line map[string]any) bool {
				return strings.Contains(fmt.Sprint(line["stack"]), c.way) && line["route"] == "/api/v1/ballots/:id/votes"
			}) {
				t.Errorf("the log says %s", w.log.all())
			}
		})
	}
}

// TestPending_Stream opens a stream on a connection that has voted: it takes
// over the socket as it is then.
func TestPending_Stream(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	l := w.client(t)
	for range 3 {
		l.say(w.one(b.ID)).want(t, http.StatusCreated)
	}
	l.write("GET /api/v1/ballots/" + b.ID + "/live HTTP/1.1\r\nHost: x\r\n\r\n")
	w.client(t).say(w.one(b.ID)).want(t, http.StatusCreated)
	for line := ""; !strings.Contains(line, `"votes":4`); {
		var err error
		if line, err = l.answers.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPending_Refused: what is refused is answered as by anybody, votes are let
// in again afterwards, and a vote that is lost is said to be.
func TestPending_Refused(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	l := w.client(t)
	for range 2 {
		l.say(w.one(b.ID)).want(t, http.StatusCreated)
	}
	busy := oponn.Retryable(oponn.CodeBusy, time.Second, nil, "Too many.")
	w.faults.set(func(f *faults) { f.castThen = func(func(oponn.Casting)) error { return busy } })
	wantProblem(t, l.say(w.one(b.ID)), http.StatusServiceUnavailable, "busy")
	w.faults.set(func(f *faults) {
		f.castThen = func(told func(oponn.Casting)) error {
			go told(casting(func() (oponn.Receipt, error) {
				return oponn.Receipt{}, oponn.Retryable(oponn.CodeOutcomeUnknown, time.Second, nil, "Lost.")
			}))
			return nil
		}
	})
	wantProblem(t, l.say(w.one(b.ID)), http.StatusServiceUnavailable, "outcome_unknown")
	w.faults.set(func(f *faults) { f.castThen = nil })
	l.say(w.one(b.ID)).want(t, http.StatusCreated)
}
