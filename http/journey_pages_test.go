package http_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/oponn/oponn/http/browsertest"
)

// TestJourney_OfAnOwnerAndAReporter: an owner mends a question, watches the
// list of their ballots, and somebody reports the ballot, all in real browsers.
func TestJourney_OfAnOwnerAndAReporter(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	anna, ben := visit(t, chromium, 1280, 900), visit(t, chromium, 390, 844)
	anna.must(anna.Go(w.url + "/new"))
	anna.must(anna.Type("#question", "Lnuch?"))
	anna.must(anna.Type("#option-1", "noodles"))
	anna.must(anna.Type("#option-2", "soup"))
	anna.must(anna.Click("#new .button-primary"))
	anna.await("manage_link")
	anna.must(anna.Click("article > .actions a.button"))
	anna.await("question and options")
	anna.must(anna.Click(".edit > summary"))
	anna.eval("document.querySelector('#question').value = 'Lunch?'; ''")
	anna.must(anna.Click("[data-add-option]"))
	anna.must(anna.Type("#option-5", "salad"))
	anna.must(anna.Click(".edit .actions .button"))
	anna.await("Question and options are changed.")
	where, err := anna.URL()
	anna.must(err)
	page := where[strings.Index(where, "/ballots/"):strings.Index(where, "/manage")]

	anna.must(anna.Go(w.url + "/"))
	anna.await("0 votes")
	b := document[tally](t, w.get("/api/v1"+page+"/results").want(t, http.StatusOK))
	if len(b.Options) != 3 || b.Options[2].Label != "salad" {
		t.Errorf("the options are %+v", b.Options)
	}
	w.vote(b.Ballot, "2")
	anna.eval("htmx.trigger(document.querySelector('.mine'), 'look'); ''")
	anna.await("1 vote")

	ben.must(ben.Go(w.url + page))
	ben.must(ben.Click(".foot a"))
	ben.await("Report a ballot")
	ben.must(ben.Type("#text", "It is no lunch."))
	ben.must(ben.Click("#report .button-primary"))
	ben.await("There is one thing to mend")
	if kept := ben.eval("document.querySelector('#text').value"); kept != "It is no lunch." {
		t.Errorf("typed is kept as %q", kept)
	}
	ben.must(ben.Click("label.choice:nth-of-type(4)"))
	ben.must(ben.Click("#report .button-primary"))
	ben.await("Thank you.")
	for _, v := range []visitor{anna, ben} {
		if complaints := v.Errors(); len(complaints) > 0 {
			t.Errorf("the page's scripts complain: %q", complaints)
		}
	}
}
