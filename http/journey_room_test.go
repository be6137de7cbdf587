package http_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/browsertest"
)

// TestJourney_Room presents two ballots, one after the other, while somebody
// joins by the code on the screen and the ballot closes.
func TestJourney_Room(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	anna, ben := visit(t, chromium, 1280, 720), visit(t, chromium, 390, 844)
	var paths []string
	for _, question := range []string{"Tea or coffee?", "Cats or dogs?"} {
		anna.must(anna.Go(w.url + "/new"))
		anna.must(anna.AwaitTrue("document.querySelector('#zone').value === Intl.DateTimeFormat().resolvedOptions().timeZone"))
		anna.must(anna.Type("#question", question))
		anna.must(anna.Type("#option-1", "this"))
		anna.must(anna.Type("#option-2", "that"))
		anna.must(anna.Click(".rules summary"))
		anna.must(anna.Click("label[for=join_code]"))
		anna.must(anna.Click("#new .button-primary"))
		anna.await("Your ballot is ready")
		where, err := anna.URL()
		anna.must(err)
		path, _, _ := strings.Cut(strings.TrimPrefix(where, w.url), "/results")
		paths = append(paths, path)
	}
	anna.must(anna.Go(w.url + paths[0] + "/present"))
	anna.await("Tea or coffee?")
	anna.awaitState("live")

	// Ben types what the screen shows.
	digits := anna.eval("document.querySelector('.present-digits').textContent")
	ben.must(ben.Go(w.url + "/"))
	ben.must(ben.Type("#join", digits))
	ben.must(ben.Click(".join-form button"))
	ben.await("Tea or coffee?")
	ben.must(ben.Click("label.choice:nth-of-type(1)"))
	ben.must(ben.Click("#vote .button-primary"))
	ben.await("your vote is counted")
	anna.await("1 vote")
	anna.await("1 watching")

	// h covers the result, and uncovers it.
	const shown = "getComputedStyle(document.querySelector('.bars b')).visibility"
	anna.must(anna.Press("h"))
	anna.await("reveal_result")
	if got := anna.eval(shown); got != "hidden" {
		t.Errorf("a covered result is %s", got)
	}
	anna.must(anna.Press("h"))
	anna.await("hide_result")
	if got := anna.eval(shown); got != "visible" {
		t.Errorf("an uncovered result is %s", got)
	}

	// n leads to the next one, p and the arrow back.
	for _, step := range [][2]string{{"n", "Cats or dogs?"}, {"p", "Tea or coffee?"}, {kb.ArrowRight, "Cats or dogs?"}, {kb.ArrowLeft, "Tea or coffee?"}} {
		anna.must(anna.Press(step[0]))
		anna.await(step[1])
		anna.awaitState("live") // the page's keys are there
	}

	// It closes while the room looks: there is joy, and then the chart.
	id := strings.TrimPrefix(paths[0], "/ballots/")
	for range 10 {
		w.cast(id, w.token(), oponn.NewVoteID(), choose("2")).want(t, http.StatusCreated)
	}
	anna.await("11 votes")
	ballot, err := oponn.ParseBallotID(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.system.Change(context.Background(), ballot, oponn.Change{Status: oponn.Closed}); err != nil {
		t.Fatal(err)
	}
	anna.await("final result")
	anna.must(anna.AwaitTrue("'joy' in document.querySelector('.present').dataset"))
	anna.must(anna.AwaitTrue("!!document.querySelector('.present-pace svg desc')"))
	for _, v := range []visitor{anna, ben} {
		if complaints := v.Errors(); len(complaints) > 0 {
			t.Errorf("the page's scripts complain: %q", complaints)
		}
	}
}

// TestJourney_Embed shows a result in a frame of another site.
func TestJourney_Embed(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	news := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(out, `<!doctype html><title>news</title><iframe src="`+w.url+"/ballots/"+b.ID+`/embed" width="600" height="400"></iframe>`)
	}))
	t.Cleanup(news.Close)
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	anna, ben := visit(t, chromium, 800, 600), visit(t, chromium, 1280, 720)
	anna.must(anna.Go(strings.Replace(news.URL, "127.0.0.1", "localhost", 1)))
	// Her page can't look into the frame. That it has come, and follows the
	// result, shows in who watches.
	ben.must(ben.Go(w.url + "/ballots/" + b.ID + "/present"))
	ben.await("1 watching")
	if complaints := anna.Errors(); len(complaints) > 0 {
		t.Errorf("the page complains: %q", complaints)
	}
}
