package http_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/browsertest"
)

// TestJourney is the main job in a real browser: somebody opens a ballot,
// others vote, and everybody sees the result move.
func TestJourney(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	anna, ben, cleo := visit(t, chromium, 1280, 900), visit(t, chromium, 390, 844), visit(t, chromium, 390, 844, browsertest.NoScript())

	// Anna opens a ballot and gets its link and QR code.
	anna.must(anna.Go(w.url + "/"))
	anna.must(anna.Click("a.button-primary"))
	anna.await("create_ballot")
	anna.must(anna.Type("#question", "Tabs or spaces?"))
	anna.must(anna.Type("#option-1", "tabs"))
	anna.must(anna.Type("#option-2", "spaces"))
	anna.must(anna.Click("#new .button-primary"))
	anna.await("Tabs or spaces?")
	anna.await("copy_link") // the script is done with the page
	link := anna.eval("document.querySelector('[data-copy-source]').value")
	if u, err := url.Parse(link); err != nil || !strings.HasPrefix(u.Path, "/b/") {
		t.Fatalf("the link is %q", link)
	}
	if anna.eval("String(document.querySelectorAll('.share .qr path').length)") != "1" {
		t.Error("there is no QR code")
	}
	page := w.url + "/ballots/" + link[strings.LastIndex(link, "/")+1:]
	anna.must(anna.Go(page + "/results"))
	anna.awaitState("live")
	anna.await("0 votes")

	// Ben votes with the keyboard alone; both see it within a second, and
	// Anna's page is the same one.
	anna.eval("window.sameAsBefore = 'yes'")
	ben.must(ben.Go(w.url + link[strings.Index(link, "/b/"):]))
	ben.must(ben.Do(chromedp.Focus(chromedp.CSS("input[name=choice]"))))
	ben.must(ben.Press(kb.ArrowDown))
	ben.must(ben.Press(kb.Enter))
	ben.await("your vote is counted")
	if took := anna.await("1 vote"); took > time.Second {
		t.Errorf("the vote was on the other screen after %s", took)
	}
	if anna.eval("window.sameAsBefore || 'no'") != "yes" {
		t.Error("the page was loaded anew")
	}
	if focus := ben.eval("document.activeElement.tagName"); focus != "H1" {
		t.Errorf("after voting the focus is on %s", focus)
	}

	// Once more from the same browser: the receipt and the result.
	ben.must(ben.Go(page))
	ben.await("your vote is counted")
	ben.await("100.0%")

	// Cleo has no JavaScript. With Back and another choice, her first vote
	// stands.
	cleo.must(cleo.Go(page))
	cleo.must(cleo.Click("label.choice:nth-of-type(1)"))
	cleo.must(cleo.Click("#vote .button-primary"))
	cleo.await("your vote is counted")
	cleo.must(cleo.Back())
	cleo.await("cast_vote")
	// A page kept in memory is out of reach of the driver's own clicks.
	cleo.eval("document.querySelectorAll('label.choice')[1].click(); document.querySelector('#vote .button-primary').click(); ''")
	cleo.await("Your first vote stands")
	cleo.await("2 votes")
	anna.await("2 votes")
	ben.await("50.0%")
	for _, v := range []visitor{anna, ben} {
		if complaints := v.Errors(); len(complaints) > 0 {
			t.Errorf("the page's scripts complain: %q", complaints)
		}
	}
}

// TestJourney_Closing watches a ballot close by the store's clock, and come
// back to life when its owner opens it again, on pages that nobody touches.
func TestJourney_Closing(t *testing.T) {
	w := start(t, tuning{})
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	created, err := w.system.Create(context.Background(), oponn.Draft{Question: "Now or never?", Options: []string{"now", "never"},
		Window: oponn.Window{OpensAt: time.Now().Add(time.Hour), ClosesAt: time.Now().Add(2 * time.Hour)}}, oponn.OwnerID{})
	if err != nil {
		t.Fatal(err)
	}
	id := created.Snapshot.Ballot.ID
	change := func(c oponn.Change) {
		t.Helper()
		if _, err := w.system.Change(t.Context(), id, c); err != nil {
			t.Fatal(err)
		}
	}
	anna, ben, cleo := visit(t, chromium, 1280, 900), visit(t, chromium, 390, 844), visit(t, chromium, 390, 844)
	page := w.url + "/ballots/" + id.String()
	for _, v := range []visitor{anna, ben} {
		v.must(v.Go(page))
		v.await("opens in")
		v.await("Voting has not started yet")
	}
	anna.must(anna.Go(page + "/results"))
	anna.awaitState("live")
	change(oponn.Change{Status: oponn.Open})
	anna.await("closes in")
	anna.await("You have not voted yet")
	ben.await("cast_vote") // the page has loaded itself anew
	ben.must(ben.Click("label.choice"))
	change(oponn.Change{ClosesAt: new(time.Now().Add(time.Second))})
	anna.await("final result")
	anna.await("Nobody voted")
	ben.await("Voting has just ended")
	ben.must(ben.Click("#vote .button-primary"))
	ben.await("Your vote came too late")
	if text, err := anna.Text(); err != nil || strings.Contains(text, "not voted yet") {
		t.Errorf("a closed ballot's page asks for a vote: %s %v", text, err)
	}

	// Cleo comes when all is over.
	cleo.must(cleo.Go(page + "/results"))
	cleo.await("final result")
	change(oponn.Change{Status: oponn.Open})
	ben.await("cast_vote")
	ben.must(ben.Click("label.choice"))
	ben.must(ben.Click("#vote .button-primary"))
	ben.await("your vote is counted")
	for _, v := range []visitor{anna, cleo} {
		v.await("1 vote")
		v.await("You have not voted yet")
		v.awaitState("live")
	}
	change(oponn.Change{Delete: true})
	anna.await("this ballot was deleted")
	cleo.await("this ballot was deleted")
	for _, v := range []visitor{anna, ben, cleo} {
		if complaints := v.Errors(); len(complaints) > 0 {
			t.Errorf("the page's scripts complain: %q", complaints)
		}
	}
}

// TestPages_FitAndSpeak looks at every page at 320 px, with text of twice the
// size, with letters and lines far apart, and at 1600 px: nothing sticks out
// and every control has a name.
func TestPages_FitAndSpeak(t *testing.T) {
	w, chromium := start(t, withImprint), launch(t)
	for _, look := range []struct {
		name  string
		width int64
		style string
	}{
		{"narrow", 320, ""}, {"wide", 1600, ""},
		{"large text", 640, "html { font-size: 200% }"},
		// WCAG 2.2, success criterion 1.4.12
		{"loose text", 390, "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }"},
	} {
		t.Run(look.name, func(t *testing.T) {
			v := visit(t, chromium, look.width, 900, browsertest.Dark())
			for _, p := range w.places(v) {
				v.visitPlace(w.url, p)
				v.eval("{ const sheet = new CSSStyleSheet(); sheet.replaceSync('" + look.style + "'); document.adoptedStyleSheets.push(sheet); } ''")
				v.fits(p.name, look.width)
			}
		})
	}
}

// fits checks that nothing of a page sticks out, and that every control has a
// name.
func (v visitor) fits(name string, width int64) {
	v.t.Helper()
	if over := v.eval("String(document.documentElement.scrollWidth - document.documentElement.clientWidth)"); over != "0" {
		v.t.Errorf("%s at %d px sticks out by %s px", name, width, over)
	}
	if nameless := v.eval(nameless); nameless != "" {
		v.t.Errorf("%s has controls without a name: %s", name, nameless)
	}
}

// nameless lists the controls of a page that have no accessible name.
const nameless = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")]
  .filter(e => e.checkVisibility() && !(e.labels?.length || e.getAttribute("aria-label") || e.innerText?.trim() || e.getAttribute("aria-labelledby")))
  .map(e => e.outerHTML.slice(0, 80)).join("\n")`

// busyBallot makes a ballot with long labels and some votes, and returns its
// owner key too.
func (w *world) busyBallot() (id, ownerKey string) {
	w.t.Helper()
	created, err := w.system.Create(context.Background(), oponn.Draft{
		Question:     "Which of these would you rather maintain for the next ten years, all things considered?",
		Options:      []string{"tabs, obviously", strings.Repeat("Donaudampfschifffahrts", 9), "whatever the formatter says", "空白を二つ", "both, in the same file"},
		AllowWriteIn: true}, oponn.OwnerID{})
	if err != nil {
		w.t.Fatal(err)
	}
	ballot := created.Snapshot.Ballot.ID
	var done sync.WaitGroup
	for i := range 40 {
		done.Go(func() {
			option := oponn.OptionID([]string{"1", "1", "2", "3", "5"}[i%5])
			cast := oponn.Cast{Ballot: ballot, Voter: oponn.NewVoterID(), VoteID: oponn.NewVoteID(), Choices: []oponn.OptionID{option}}
			if i == 0 {
				cast.Choices, cast.WriteIn = nil, strings.Repeat("whatever", 24)
			}
			if _, err := w.system.Cast(context.Background(), cast); err != nil {
				w.t.Error(err)
			}
		})
	}
	done.Wait()
	return ballot.String(), created.OwnerKey
}

// visitor is a person with a real browser whose steps must succeed.
type visitor struct {
	*browsertest.Visitor
	t *testing.T
}

func visit(t *testing.T, b *browsertest.Browser, width, height int64, options ...browsertest.Option) visitor {
	t.Helper()
	v, err := b.Visitor(width, height, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Leave)
	return visitor{v, t}
}

func (v visitor) must(err error) {
	v.t.Helper()
	if err != nil {
		where, _ := v.URL()
		v.t.Fatalf("at %s: %v", where, err)
	}
}

func (v visitor) await(text string) time.Duration {
	v.t.Helper()
	took, err := v.AwaitText(text)
	v.must(err)
	return took
}

func (v visitor) awaitState(state string) {
	v.t.Helper()
	v.must(v.AwaitTrue("document.querySelector('.board').dataset.connection === '" + state + "'"))
}

func (v visitor) eval(expression string) string {
	v.t.Helper()
	got, err := browsertest.Eval[string](v.Visitor, expression)
	v.must(err)
	return got
}
