package http_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/oponn/oponn/http/browsertest"
)

// TestJourney_Codes makes a ballot on which codes vote, hands them out, and
// votes by link and by typing.
func TestJourney_Codes(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	anna, ben := visit(t, chromium, 1280, 900, browsertest.Dark()), visit(t, chromium, 320, 640, browsertest.Dark())
	cleo, dora := visit(t, chromium, 390, 844, browsertest.NoScript()), visit(t, chromium, 390, 844)

	// Anna makes the ballot and fifteen codes.
	anna.must(anna.Go(w.url + "/new"))
	anna.must(anna.Type("#question", "Who shall speak for us in the coming year?"))
	anna.must(anna.Type("#option-1", "Maria"))
	anna.must(anna.Type("#option-2", "Jonas"))
	anna.must(anna.Click(".rules summary"))
	anna.eval("const kind = document.querySelector('#protection'); kind.value = 'codes'; kind.dispatchEvent(new Event('change', {bubbles: true})); ''")
	anna.must(anna.Click("#new .button-primary"))
	anna.await("It takes votes by code alone")
	anna.must(anna.Click("a[href$='/manage#codes']"))
	anna.await("0 codes made, 0 used")
	anna.must(anna.Type("#count", "a dozen"))
	anna.must(anna.Click("[value=make_codes]"))
	anna.await("Please give a whole number")
	anna.must(anna.AwaitTrue("!!document.querySelector('#count')")) // the rest of the page
	if focus := anna.eval("document.activeElement.getAttribute('role') + document.querySelector('#count').value"); focus != "alerta dozen" {
		t.Errorf("focus and what was typed: %s", focus)
	}
	anna.eval("document.querySelector('#count').value = ''; ''")
	anna.must(anna.Type("#count", "15"))
	anna.must(anna.Click("[value=make_codes]"))
	anna.await("15 codes")
	codes := strings.Fields(anna.eval("document.querySelector('[name=codes]').value"))
	if printed := strings.Fields(anna.eval("[...document.querySelectorAll('.card-code')].map(e => e.innerText).join(' ')")); len(codes) != 15 || strings.Join(printed, " ") != strings.Join(codes, " ") {
		t.Fatalf("made %q, shown %q", codes, printed)
	}
	anna.fits("codes", 1280)
	if nameless := anna.eval(nameless); nameless != "" {
		t.Errorf("controls without a name: %s", nameless)
	}
	paper, err := anna.Print()
	anna.must(err)
	if sheets := bytes.Count(paper, []byte("/Type /Page\n")); sheets != 2 {
		t.Errorf("fifteen cards fill %d sheets of paper, want 2", sheets)
	}
	path := anna.eval("location.pathname")
	ballot := strings.TrimSuffix(path, "/codes")
	plain := func(i int) string { return strings.ReplaceAll(codes[i], "-", "")[:13] }

	// Cleo's camera opens a link; she has no JavaScript.
	cleo.must(cleo.Go(w.url + ballot + "/codes/" + plain(0)))
	cleo.await("Your code is here")
	if at, err := cleo.URL(); err != nil || at != w.url+ballot {
		t.Errorf("the link leads to %s, %v", at, err)
	}
	cleo.must(cleo.Click("label.choice:nth-of-type(1)"))
	cleo.must(cleo.Click("#vote .button-primary"))
	cleo.await("your vote is counted")

	// Ben types: Cleo's code first, then his own, in small letters.
	ben.must(ben.Go(w.url + ballot))
	ben.must(ben.Click("label.choice:nth-of-type(2)"))
	ben.must(ben.Type("#code", codes[0]))
	ben.must(ben.Click("#vote .button-primary"))
	ben.await("not good here, or was used")
	if kept := ben.eval("document.querySelector('#code').value + document.querySelector('[name=choice]:checked').value"); kept != codes[0]+"2" {
		t.Errorf("kept %s", kept)
	}
	ben.fits("vote by code", 320)
	ben.eval("document.querySelector('#code').value = ''; ''")
	ben.must(ben.Type("#code", strings.ToLower(codes[1])))
	ben.must(ben.Click("#vote .button-primary"))
	ben.await("your vote is counted")
	ben.await("2 votes")
	ben.awaitState("live")
	ben.fits("vote by code", 320)

	// Dora votes with her link on Ben's phone, and the page knows whose it is.
	ben.must(ben.Click("a[href$='?code=another']"))
	ben.await("cast_vote")
	ben.must(ben.Go(w.url + ballot + "/codes/" + plain(2)))
	ben.await("Your code is here")
	ben.fits("vote by code", 320)
	ben.must(ben.Click("label.choice:nth-of-type(1)"))
	ben.must(ben.Click("#vote .button-primary"))
	ben.await("3 votes")
	dora.must(dora.Go(w.url + ballot + "/codes/" + plain(2)))
	dora.await("your vote is counted")
	anna.must(anna.Click("a[href$='/manage']"))
	anna.await("15 codes made, 3 used")
	for _, v := range []visitor{anna, ben, dora} {
		if complaints := v.Errors(); len(complaints) > 0 {
			t.Errorf("the page's scripts complain: %q", complaints)
		}
	}
}
