package http_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/oponn/oponn"
)

func TestOneVoteSentManyTimesAtOnce(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	token, vote := w.token(), oponn.NewVoteID()
	replies := make([]reply, 20)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = w.cast(b.ID, token, vote, choose("1")) })
	}
	all.Wait()
	fresh := 0
	for _, r := range replies {
		if r.status == http.StatusCreated {
			fresh++
		} else {
			r.want(t, http.StatusOK)
		}
		if r.body != replies[0].body {
			t.Errorf("two receipts for one vote: %s and %s", r.body, replies[0].body)
		}
	}
	if fresh != 1 {
		t.Errorf("%d of the answers say that they are the first", fresh)
	}
	if n := w.results(b.ID).Votes; n != 1 {
		t.Errorf("%d votes were counted", n)
	}
}

func TestManyVotersAtOnce(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	stream := w.listen(apiLive(b))
	var all sync.WaitGroup
	for i := range 100 {
		token := w.token()
		all.Go(func() {
			w.cast(b.ID, token, oponn.NewVoteID(), choose([]string{"1", "2"}[i%2])).want(t, http.StatusCreated)
		})
	}
	all.Wait()
	var before uint64
	for {
		m := stream.await("tally")
		got := decode[tally](t, m)
		if got.Version <= before {
			t.Fatalf("version %d follows %d", got.Version, before)
		}
		if before = got.Version; got.Votes < 100 {
			continue
		}
		if got.Options[0].Votes != 50 || got.Options[1].Votes != 50 {
			t.Errorf("the result is %+v", got)
		}
		return
	}
}

// A viewer who reads nothing holds up nobody, and goes on with the latest.
func TestSlowViewerSkipsVersions(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	hands := w.byHand()
	slow := w.listen(apiLive(b))
	slow.await("beat")
	h := <-hands
	// So much in all that no buffer holds it, in few frames: whoever takes
	// nothing for twelve seconds is let go, and a busy machine is slow.
	const first, last = 1000, 1100
	filler := strings.Repeat("x", 512<<10)
	for version := uint64(first); version <= last; version++ {
		frame := &oponn.Frame{Version: version, Bytes: fmt.Appendf(nil, "id: %d\ndata: %s\n\n", version, filler)}
		h.do(func(s oponn.Sink) { s.Offer(frame) })
	}
	var before uint64
	frames := 0
	for before < last {
		v := slow.await("").version(t)
		if v <= before {
			t.Fatalf("version %d follows %d", v, before)
		}
		before = v
		frames++
	}
	if frames > (last-first)/2 {
		t.Errorf("%d frames of %d were kept for a viewer who read nothing", frames, last-first)
	}
}
