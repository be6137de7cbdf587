package http_test

import (
	"context"
	"slices"
	"testing"

	"github.com/oponn/oponn/http/browsertest"
	"github.com/oponn/oponn/views/locales"
)

// TestJourney_Languages looks at every page in every language on the narrowest
// phone: nothing sticks out, every control has a name, axe-core finds nothing,
// no script complains.
func TestJourney_Languages(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	id, ownerKey := w.busyBallot()
	path, source := "/ballots/"+id, axe(t)
	for n, l := range append(slices.Clone(locales.All()), locales.Match("ar")) { // from right to left in both schemes
		v := visit(t, chromium, 320, 800, scheme(n), browsertest.Prefers(l.Lang()))
		v.must(v.Go(w.url + path))
		v.fits("vote in "+l.Lang(), 320)
		v.must(v.Click("label.choice"))
		v.must(v.Click("#vote .button-primary"))
		v.await(l.T("receipt.counted"))
		v.must(v.AwaitTrue("document.querySelector('.board').dataset.connection === 'live'"))
		receipt := v.eval("document.querySelector('.receipt .actions a').getAttribute('href')")
		v.must(v.Go(w.url + path + "/manage"))
		v.fits("key in "+l.Lang(), 320)
		v.must(v.Type("#owner_key", ownerKey))
		v.must(v.Click("form .button-primary"))
		v.await(l.T("cmd.close_now"))
		for _, path := range []string{"/", "/new", path + "/results", receipt, path + "/manage", path + "/report",
			path + "/present", path + "/embed", "/docs", "/join?code=000000", "/privacy", "/ballots/nothing"} {
			v.must(v.Go(w.url + path))
			v.eval("for (const box of document.querySelectorAll('details')) box.open = true; ''")
			v.fits(path+" in "+l.Lang(), 320)
			if got := v.eval("document.documentElement.lang + ' ' + getComputedStyle(document.body).direction"); got != l.Lang()+" "+l.Dir() {
				t.Errorf("%s is in %s, want %s", path, got, l.Lang())
			}
			found, err := v.Axe(source)
			v.must(err)
			for _, violation := range found {
				t.Errorf("%s in %s: %s", path, l.Lang(), violation)
			}
		}
		if complaints := v.Errors(); len(complaints) > 0 {
			t.Errorf("in %s the page's scripts complain: %q", l.Lang(), complaints)
		}
	}
}

// scheme is dark or light in turns, with dark for the one who comes last.
func scheme(n int) browsertest.Option {
	if n%2 == 0 || n == len(locales.All()) {
		return browsertest.Dark()
	}
	return browsertest.Light()
}

// places are where things of a result page are, in whole pixels from the left
// edge: the logo, the first entry of the navigation, the heading's prompt and
// text, an option's label and share, and the filled part of its bar.
const places = `JSON.stringify((() => {
  const left = (selector, node = document) => Math.round(node.querySelector(selector).getBoundingClientRect().left);
  const row = document.querySelector(".bars li"), bar = row.querySelector("svg").getBoundingClientRect(), rest = row.querySelector("rect").getBoundingClientRect();
  return { Logo: left(".logo"), Nav: left("nav a"), Prompt: left("h1 .prompt"), Heading: left("h1 bdi"), Label: left("bdi", row), Share: left("b", row),
    Filled: Math.round(rest.left - bar.left) > 2 ? "left" : "right" };
})())`

// TestJourney_Mirrored compares the result in Arabic with the one in English.
func TestJourney_Mirrored(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	id, _ := w.busyBallot()
	type where struct {
		Logo, Nav, Prompt, Heading, Label, Share int
		Filled                                   string
	}
	look := func(lang string) where {
		v := visit(t, chromium, 1280, 900, browsertest.Dark(), browsertest.Prefers(lang))
		v.must(v.Go(w.url + "/ballots/" + id + "/results"))
		return document[where](t, reply{body: v.eval(places)})
	}
	ltr, rtl := look("en"), look("ar")
	for name, in := range map[string][2]bool{
		"the logo is before the navigation": {ltr.Logo < ltr.Nav, rtl.Logo > rtl.Nav},
		"the prompt is before the heading":  {ltr.Prompt < ltr.Heading, rtl.Prompt > rtl.Heading},
		"the label is before its share":     {ltr.Label < ltr.Share, rtl.Label > rtl.Share},
		"bars grow from the beginning":      {ltr.Filled == "left", rtl.Filled == "right"},
	} {
		if !in[0] || !in[1] {
			t.Errorf("%s: from left to right %t, from right to left %t\n%+v\n%+v", name, in[0], in[1], ltr, rtl)
		}
	}
	if mirrored := 1280 - ltr.Logo; rtl.Logo > mirrored || rtl.Logo < 1280/2 {
		t.Errorf("the logo is at %d px, and at %d px mirrored", ltr.Logo, rtl.Logo)
	}
	// Ids and links keep their own direction.
	v := visit(t, chromium, 390, 844, browsertest.Prefers("ar"))
	v.must(v.Go(w.url + "/ballots/" + id + "/results"))
	if got := v.eval(`[...document.querySelectorAll(".trail a, #share-url")].map(e => getComputedStyle(e).direction).join(" ")`); got != "ltr ltr" {
		t.Errorf("the id and the link are written %s", got)
	}
}

// TestJourney_Switch switches without JavaScript, and with it after htmx has
// brought in another page.
func TestJourney_Switch(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	b := w.ballot(teaOrCoffee())
	page := w.url + "/ballots/" + b.ID
	ar, ja := locales.Named("ar"), locales.Named("ja")

	plain := visit(t, chromium, 320, 700, browsertest.NoScript())
	plain.must(plain.Go(page + "?choice=2"))
	plain.must(plain.Click("button[lang=ar]"))
	plain.await(ar.T("cmd.cast_vote"))
	if got := plain.eval("location.pathname + location.search + ' ' + document.querySelector('input:checked').value"); got != "/ballots/"+b.ID+"?choice=2 2" {
		t.Errorf("the switch led to %s", got)
	}
	plain.must(plain.Click("#vote .button-primary"))
	plain.await(ar.T("receipt.counted"))

	live := visit(t, chromium, 390, 844, browsertest.Prefers("de"))
	live.must(live.Go(page))
	live.must(live.Click("label.choice"))
	live.must(live.Click("#vote .button-primary"))
	live.await(locales.Named("de").T("receipt.counted"))
	live.must(live.Click("button[lang=ja]"))
	live.await(ja.T("receipt.counted"))
	if got := live.eval("location.pathname"); got != "/ballots/"+b.ID+"/results" {
		t.Errorf("the switch led to %s", got)
	}
	live.must(live.AwaitTrue("document.querySelector('.board').dataset.connection === 'live'"))

	// Another page of the same browser switches: what comes into this one stays
	// Japanese, by this stream and by the next.
	live.eval("fetch('/language', {method: 'POST', body: new URLSearchParams({language: 'fr', back: '/new'})}).then(r => { window.switched = r.ok }); ''")
	live.must(live.AwaitTrue("window.switched"))
	w.vote(b.ID, "1")
	live.await(ja.N("status.votes", 3))
	live.eval("window.before = document.querySelector('[data-live]'); dispatchEvent(new Event('online')); ''")
	live.must(live.AwaitTrue("document.querySelector('[data-live]') !== window.before"))
	w.vote(b.ID, "1")
	live.await(ja.N("status.votes", 4))
	live.must(live.Go(page + "/results"))
	live.await(locales.Named("fr").N("status.votes", 4))
}
