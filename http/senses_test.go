package http_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/oponn/oponn/http/browsertest"
)

// tabTo presses the tab key until the focus is on what a selector finds. On the
// way there every stop can be seen.
func (v visitor) tabTo(selector string) {
	v.t.Helper()
	for range 80 {
		v.must(v.Press(kb.Tab))
		if unseen := v.eval(unseenFocus); unseen != "" {
			v.t.Errorf("the focus can't be seen on %s", unseen)
		}
		if v.eval(fmt.Sprintf("String(document.activeElement.matches(%q))", selector)) == "true" {
			return
		}
	}
	v.t.Fatalf("the tab key doesn't reach %s", selector)
}

// unseenFocus is the stop that has the focus without showing it: neither it nor what is
// drawn for it has an outline, or it lies outside of the window.
const unseenFocus = `(() => {
  const e = document.activeElement;
  if (e === document.body || e.tabIndex < 0) return ""; // no stop: the page itself went there
  const drawn = e.matches("[type=radio], [type=checkbox]") ? e.closest(".choice") ?? e : e;
  const style = getComputedStyle(drawn), box = drawn.getBoundingClientRect();
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return outlined && box.width > 0 && box.bottom > 0 && box.top < innerHeight ? "" : e.outerHTML.slice(0, 120);
})()`

// TestEveryone_Keyboard makes a ballot, votes on it and closes it without a
// mouse.
func TestEveryone_Keyboard(t *testing.T) {
	w, chromium := start(t, tuning{}), launch(t)
	anna, ben := visit(t, chromium, 1280, 900), visit(t, chromium, 390, 844)
	anna.must(anna.Go(w.url + "/"))
	anna.tabTo(".skip")
	anna.must(anna.Press(kb.Enter))
	anna.tabTo("main a[href='/new']")
	anna.must(anna.Press(kb.Enter))
	anna.await("create_ballot")
	for _, field := range []struct{ selector, text string }{{"#question", "Tabs or spaces?"}, {"#option-1", "tabs"}, {"#option-2", "spaces"}} {
		anna.tabTo(field.selector)
		anna.must(anna.Press(field.text))
	}
	anna.tabTo("[data-add-option]")
	anna.must(anna.Press(kb.Enter))
	anna.must(anna.Press("both"))
	anna.tabTo(".rules summary")
	anna.must(anna.Press(" "))
	anna.tabTo("#allow_change")
	anna.must(anna.Press(" "))
	anna.tabTo("#new .actions button")
	anna.must(anna.Press(kb.Enter))
	anna.await("Your ballot is ready")
	link := anna.eval("document.querySelector('[data-copy-source]').value")
	path := "/ballots/" + link[strings.LastIndex(link, "/")+1:]

	ben.must(ben.Go(w.url + path))
	ben.tabTo("[name=choice]")
	ben.must(ben.Press(kb.ArrowDown))
	ben.must(ben.Press(kb.ArrowDown))
	ben.tabTo("#vote .button-primary")
	ben.must(ben.Press(kb.Enter))
	ben.await("your vote is counted")
	ben.tabTo("a[href$='?change=1']")
	ben.must(ben.Press(kb.Enter))
	ben.await("You have voted already")
	ben.tabTo("[name=choice]")
	ben.must(ben.Press(" "))
	ben.must(ben.Press(kb.Enter))
	ben.await("in place of the one before")

	anna.await("1 vote")
	anna.tabTo("a[href$='/manage']")
	anna.must(anna.Press(kb.Enter))
	anna.await("close_now")
	anna.tabTo("[value=close]")
	anna.must(anna.Press(kb.Enter))
	anna.await("The ballot is closed")
	ben.await("final result")
}

// TestEveryone_Bars listens to a result, and looks at it with colours of the
// visitor's own and with no wish for motion.
func TestEveryone_Bars(t *testing.T) {
	w, chromium := start(t, tuning{}), launch(t)
	b := w.ballot(teaOrCoffee())
	results := w.url + b.path() + "/results"
	for _, option := range []string{"1", "1", "2"} {
		w.vote(b.ID, option)
	}
	t.Run("spoken", func(t *testing.T) {
		v := visit(t, chromium, 390, 844)
		v.must(v.Go(results))
		v.awaitState("live")
		spoken, err := v.Spoken(".bars")
		v.must(err)
		for _, want := range []string{"tea leads 66.7% 2 votes", "coffee 33.3% 1 vote"} {
			if !strings.Contains(spoken, want) {
				t.Errorf("a screen reader has %q, want %q", spoken, want)
			}
		}
	})
	t.Run("with colours of the system", func(t *testing.T) {
		for _, scheme := range []string{"dark", "light"} {
			v := visit(t, chromium, 390, 844, browsertest.ForcedColors(scheme))
			v.must(v.Go(results))
			v.awaitState("live")
			// What is filled, what is not, and the page: the filled part differs
			// from both, and all have an edge.
			if got := v.eval(`(() => {
  const bar = document.querySelector(".bars svg"), style = getComputedStyle(bar);
  const rest = getComputedStyle(bar.querySelector("rect")).fill, ground = getComputedStyle(document.body).backgroundColor;
  return [style.backgroundColor !== rest, style.backgroundColor !== ground, style.borderTopStyle === "solid", style.borderTopColor !== ground].join()
})()`); got != "true,true,true,true" {
				t.Errorf("%s: bars: %s", scheme, got)
			}
			if v.eval(`String(document.querySelector(".first .mark").checkVisibility())`) != "true" {
				t.Errorf("%s: the mark can't be seen", scheme)
			}
			v.must(v.Go(w.url + b.path()))
			v.must(v.Click("label.choice"))
			v.tabTo("#vote .button-primary")
			if got := v.eval(`(() => {
  const box = document.querySelector(":checked + .box"), chosen = getComputedStyle(box.closest(".choice")), ground = getComputedStyle(document.body).backgroundColor;
  const focus = getComputedStyle(document.activeElement);
  return [getComputedStyle(box, "::before").content.includes("[x]"), chosen.outlineColor !== ground, focus.outlineColor !== ground, focus.borderTopColor !== ground].join()
})()`); got != "true,true,true,true" {
				t.Errorf("%s: choice and focus: %s", scheme, got)
			}
		}
	})
	t.Run("without motion", func(t *testing.T) {
		for wish, v := range map[string]visitor{"reduce": visit(t, chromium, 390, 844, browsertest.Dark()), "no-preference": visit(t, chromium, 390, 844)} {
			v.must(v.Go(results))
			v.awaitState("live")
			moves := v.eval(`String([".bars rect", ".cursor", ".button"].some(s => { const style = getComputedStyle(document.querySelector(s));
  return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none" }))`)
			if want := fmt.Sprint(wish == "no-preference"); moves != want {
				t.Errorf("%s: something moves: %s", wish, moves)
			}
		}
	})
}

// TestEveryone_NoScript does without JavaScript all but what is live: making a
// ballot that opens later, voting, keeping a receipt, looking again.
func TestEveryone_NoScript(t *testing.T) {
	w, chromium := start(t, tuning{}), launch(t)
	anna, ben := visit(t, chromium, 1280, 900, browsertest.NoScript()), visit(t, chromium, 390, 844, browsertest.NoScript())
	anna.must(anna.Go(w.url + "/new"))
	anna.must(anna.Type("#question", "Tea or coffee?"))
	anna.must(anna.Type("#option-1", "tea"))
	anna.must(anna.Type("#option-6", "coffee")) // there are more rows than with a script
	anna.must(anna.Click(".rules summary"))
	anna.must(anna.Type("#opens", "at"))
	anna.must(anna.Type("#zone", "Europe/Berlin"))
	anna.eval("document.querySelector('#opens_at').value = '2035-05-01T12:00'; ''")
	anna.must(anna.Click("#new .actions .button-primary"))
	anna.await("Your ballot is ready")
	anna.await("scheduled")
	if at := anna.eval("document.querySelector('.board time').dateTime"); !strings.HasPrefix(at, "2035-05-01T10:00") {
		t.Errorf("it opens at %s", at)
	}
	link := anna.eval("document.querySelector('[data-copy-source]').value")
	path := "/ballots/" + link[strings.LastIndex(link, "/")+1:]
	if got := anna.eval("document.querySelector('meta[http-equiv=refresh]').content"); got != "15" {
		t.Errorf("the page looks again after %q", got)
	}
	ben.must(ben.Go(w.url + path))
	ben.await("Voting has not started yet")
	anna.must(anna.Click("main .actions a.button[href$='/manage']"))
	anna.must(anna.Click("[value=open]"))
	anna.await("The ballot is open.")
	ben.must(ben.Do(browsertest.Reload()))
	ben.must(ben.Click("label.choice:nth-of-type(2)"))
	ben.must(ben.Click("#vote .button-primary"))
	ben.await("your vote is counted")
	ben.must(ben.Click(".receipt summary"))
	ben.must(ben.Click("a[href*='/receipts/']"))
	ben.await("The vote of this receipt is counted.")
	ben.must(ben.Click("main .actions a.button"))
	ben.must(ben.Click(".refresh"))
	ben.await("100.0%")
	anna.must(anna.Click("[value=close]"))
	anna.await("The ballot is closed")
	ben.must(ben.Click(".refresh"))
	ben.await("final result")
}
