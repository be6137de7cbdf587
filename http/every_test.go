package http_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn/actors"
)

// TestSeldomResultsAreSaid watches a result whose frames come every two
// seconds: the page says so in a low voice, and nothing on it moves for that.
func TestSeldomResultsAreSaid(t *testing.T) {
	w := start(t, tuning{actors: func(c *actors.Config) { c.FrameInterval = 2 * time.Second }})
	b := w.ballot(teaOrCoffee())
	w.vote(b.ID, "1")
	chromium := launch(t)
	for _, page := range []struct {
		name, path    string
		width, height int64
	}{{"OnAPhone", "/results", 320, 700}, {"OnADesk", "/results", 1280, 900}, {"OnTheWall", "/present", 1280, 720}, {"InAFrame", "/embed", 320, 500}} {
		t.Run(page.name, func(t *testing.T) {
			v := visit(t, chromium, page.width, page.height)
			v.must(v.Go(w.url + b.path() + page.path))
			v.awaitState("live")
			w.vote(b.ID, "1")
			v.must(v.AwaitTrue(`document.querySelector(".board .every")?.textContent === "results every 2 s"`))
			if seen := v.eval(`(() => { const r = document.querySelector(".every"), s = getComputedStyle(r);
				return s.visibility + " " + (r.scrollWidth <= r.clientWidth + 1) })()`); seen != "visible true" {
				t.Errorf("it is %s", seen)
			}
			// Where everything else is, and how high the whole, with and without it.
			const places = `JSON.stringify([...document.querySelectorAll(".board > *, .bars, .bars li, .board ~ *")]
				.map(e => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.height] })
				.concat(document.documentElement.scrollHeight))`
			with := v.eval(places)
			v.eval(`document.querySelector(".every").remove(); ""`)
			if without := v.eval(places); without != with {
				t.Errorf("without it: %s\nwith it:    %s", without, with)
			}
		})
	}
}

// TestSeldomResultsAreNotSaidToWhomTheyAreHidden: it would tell that many vote.
func TestSeldomResultsAreNotSaidToWhomTheyAreHidden(t *testing.T) {
	w := start(t, tuning{actors: func(c *actors.Config) { c.FrameInterval = 2 * time.Second }})
	hidden := teaOrCoffee()
	hidden["visibility"] = "after_closing"
	for said, d := range map[bool]draft{true: teaOrCoffee(), false: hidden} {
		b := w.ballot(d)
		l := w.listen(pageLive(b))
		w.vote(b.ID, "1")
		m := l.await("")
		if said { // the first one may be of a page that nobody has voted on
			m = l.await("")
		}
		if strings.Contains(m.data, "results every 2 s") != said {
			t.Errorf("said is %t, want %t: %s", !said, said, m.data)
		}
		l.leave()
	}
}
