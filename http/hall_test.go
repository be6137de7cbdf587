package http_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

// limited is a service as it is by default: with limits.
func limited(t *testing.T) *world {
	t.Helper()
	return start(t, tuning{http: func(c *oponnhttp.Config) { c.RateLimits = true }})
}

// TestLectureHall has five hundred people with one address, in a minute or
// less, come by the join code or with a code of their own, vote, see the result
// and watch it; every tenth one mistypes first, and every twentieth sends the
// vote again. Nobody is held back.
func TestLectureHall(t *testing.T) {
	w := limited(t)
	const people = 500
	joined := w.ballot(teaOrCoffee().with("join_code", true))
	digits := w.joining(joined.ID)
	coded, codes := w.byCode(people)
	var next atomic.Int64
	var crowd sync.WaitGroup
	for range 32 { // at a time: connections are not what this is about
		crowd.Go(func() {
			for seat := int(next.Add(1)) - 1; seat < people; seat = int(next.Add(1)) - 1 {
				guest := w.browser()
				if seat%2 == 0 {
					w.guestJoins(guest, joined, digits, seat)
				} else {
					w.guestTypes(guest, coded, codes[seat], seat)
				}
			}
		})
	}
	crowd.Wait()
	if t.Failed() {
		return
	}
	for _, id := range []string{joined.ID, coded.ID} {
		if got := w.results(id).Votes; got != people/2 {
			t.Errorf("%d votes are counted, want %d", got, people/2)
		}
	}
	w.awaitLoad(people)
}

// guestJoins is one who comes by the join code.
func (w *world) guestJoins(guest *browser, b created, digits string, seat int) {
	if seat%20 == 0 {
		wrong := []byte(digits)
		wrong[5] = '0' + (wrong[5]-'0'+1)%10
		guest.open("/join?code="+string(wrong)).want(w.t, http.StatusNotFound)
	}
	form := guest.open("/join?code="+digits).want(w.t, http.StatusOK)
	w.guestVotes(guest, b, seat, form, form.value("vote_id"))
}

// guestTypes is one who has a voting code.
func (w *world) guestTypes(guest *browser, b created, code oponn.VotingCode, seat int) {
	form := guest.open("/ballots/"+b.ID).want(w.t, http.StatusOK)
	if seat%20 == 1 { // a code of nobody, as after reading the wrong card
		guest.choose(form.path, form, "1", "code", string(oponn.NewVotingCode())).want(w.t, http.StatusUnprocessableEntity)
	}
	w.guestVotes(guest, b, seat, form, form.value("vote_id"), "code", string(code))
}

func (w *world) guestVotes(guest *browser, b created, seat int, form page, vote string, pairs ...string) {
	path := "/ballots/" + b.ID
	sent := fields(append([]string{"vote_id", vote, "choice", "1"}, pairs...)...)
	for range 1 + seat%10/9 {
		if p := guest.submit(path+"/votes", sent).want(w.t, http.StatusOK); !strings.HasPrefix(p.path, path+"/results") {
			w.t.Errorf("voting led to %s", p.path)
		}
	}
	// The connection stays open until the test ends.
	w.keepOpen(path + "/live")
}
