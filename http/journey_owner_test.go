package http_test

import (
	"context"
	"strings"
	"testing"

	"github.com/oponn/oponn/http/browsertest"
)

// TestJourney_Owner makes a ballot with rules in one browser, and manages it
// in another by its manage link.
func TestJourney_Owner(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	anna, ben, cleo := visit(t, chromium, 1280, 900), visit(t, chromium, 390, 844), visit(t, chromium, 390, 844, browsertest.NoScript())
	anna.must(anna.Go(w.url + "/new"))
	anna.must(anna.AwaitTrue("document.querySelector('#zone').value === Intl.DateTimeFormat().resolvedOptions().timeZone"))
	anna.must(anna.Type("#question", "What is for lunch?"))
	anna.must(anna.Type("#option-1", "noodles"))
	anna.must(anna.Type("#option-2", "soup"))
	anna.must(anna.Click(".rules summary"))
	if anna.eval("String(document.querySelector('#choices_max').checkVisibility() || document.querySelector('#zone').checkVisibility())") != "false" {
		t.Error("the form asks for what does not matter yet")
	}
	anna.eval("const kind = document.querySelector('#kind'); kind.value = 'approval'; kind.dispatchEvent(new Event('change', {bubbles: true})); ''")
	anna.must(anna.Type("#choices_max", "2"))
	anna.must(anna.Click("#new .button-primary"))
	anna.await("manage_link")
	link := anna.eval("document.querySelector('#manage-url').value")
	page, key, found := strings.Cut(link[strings.Index(link, "/ballots/"):], "/manage#")
	if !found || key == "" {
		t.Fatalf("the manage link is %q", link)
	}

	// Cleo has no JavaScript and chooses both.
	cleo.must(cleo.Go(w.url + page))
	cleo.await("Choose as many as you like")
	cleo.must(cleo.Click("label.choice:nth-of-type(1)"))
	cleo.must(cleo.Click("label.choice:nth-of-type(2)"))
	cleo.must(cleo.Click("#vote .button-primary"))
	cleo.await("your vote is counted")
	anna.await("1 vote")

	// Ben opens the manage link: the key leaves the address, and opens the page
	// when he says so.
	ben.must(ben.Go(w.url + page + "/manage#" + key))
	ben.must(ben.AwaitTrue("document.querySelector('#owner_key').value.length === 43 && location.hash === ''"))
	ben.must(ben.Click("form .button-primary"))
	ben.await("close_now")
	ben.must(ben.Click("[name=action][value=close]"))
	ben.await("The ballot is closed")
	anna.await("final result")
	for _, v := range []visitor{anna, ben} {
		if complaints := v.Errors(); len(complaints) > 0 {
			t.Errorf("the page's scripts complain: %q", complaints)
		}
	}
}
