package views_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// A strict content security policy forbids what these tests look for, and a
// hostile question must stay a question.
func TestViews(t *testing.T) {
	for name, v := range pages() {
		t.Run(name, func(t *testing.T) {
			text := render(t, v.Document())
			if !strings.HasPrefix(strings.ToLower(text), "<!doctype html>") {
				t.Errorf("the document begins with %.20q", text)
			}
			root := parse(t, text)
			if mains := all(root, tag("main")); len(mains) != 1 {
				t.Fatalf("got %d main elements", len(mains))
			}
			if headings := all(root, tag("h1")); len(headings) != 1 || content(headings[0]) == ">" {
				t.Errorf("got %d headings, want one with text", len(headings))
			}
			checkPolicy(t, root)
			checkReferences(t, root)
			checkNames(t, root)
		})
		t.Run(name+", part", func(t *testing.T) {
			text := render(t, v.Part())
			if !strings.HasPrefix(text, "<title>") || strings.Contains(text, "<main") || strings.Contains(text, "<header") {
				t.Errorf("not the inside of main after a title: %.60q", text)
			}
		})
	}
}

// checkPolicy finds inline scripts and styles, and scripts that are not ours.
func checkPolicy(t *testing.T, root *html.Node) {
	t.Helper()
	for _, n := range all(root, func(*html.Node) bool { return true }) {
		src, _ := attr(n, "src")
		switch {
		case n.Data == "style":
			t.Error("there is a style element")
		case n.Data == "script" && (n.FirstChild != nil || !strings.HasPrefix(src, views.AssetsPrefix)):
			t.Errorf("there is a script with src %q", src)
		}
		for _, a := range n.Attr {
			if a.Key == "style" || a.Key == "nonce" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
				t.Errorf("%s has the attribute %s", n.Data, a.Key)
			}
		}
	}
}

// checkReferences finds ids that are given twice, and references to none.
func checkReferences(t *testing.T, root *html.Node) {
	t.Helper()
	ids := map[string]bool{}
	for _, n := range all(root, func(*html.Node) bool { return true }) {
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("the id %q is given twice", id)
			}
			ids[id] = true
		}
	}
	for _, n := range all(root, func(*html.Node) bool { return true }) {
		refs, _ := attr(n, "aria-describedby")
		if target, ok := attr(n, "for"); ok {
			refs += " " + target
		}
		if href, _ := attr(n, "href"); strings.HasPrefix(href, "#") {
			refs += " " + href[1:]
		}
		for _, id := range strings.Fields(refs) {
			if !ids[id] && !inNoscript(root, id) {
				t.Errorf("%s refers to %q, which is not there", n.Data, id)
			}
		}
	}
}

// inNoscript: a parser that runs scripts takes noscript for text.
func inNoscript(root *html.Node, id string) bool {
	for _, n := range all(root, tag("noscript")) {
		if strings.Contains(content(n), `id="`+id+`"`) {
			return true
		}
	}
	return false
}

// checkNames finds controls without a name for those who don't see them.
func checkNames(t *testing.T, root *html.Node) {
	t.Helper()
	labelled := map[string]bool{}
	for _, n := range all(root, tag("label")) {
		if id, ok := attr(n, "for"); ok {
			labelled[id] = true
		}
	}
	for _, n := range all(root, func(n *html.Node) bool { return n.Data == "input" || n.Data == "select" || n.Data == "textarea" }) {
		id, _ := attr(n, "id")
		kind, _ := attr(n, "type")
		_, named := attr(n, "aria-label")
		if kind != "hidden" && !named && !labelled[id] && n.Parent.Data != "label" {
			t.Errorf("the %s %q has no label", n.Data, id)
		}
	}
	for _, n := range all(root, tag("button")) {
		if label, _ := attr(n, "aria-label"); label == "" && content(n) == "" {
			t.Error("a button has no name")
		}
	}
}

func TestVotePage(t *testing.T) {
	t.Run("offers every option and a write-in", func(t *testing.T) {
		root := parse(t, render(t, views.VotePage(page, vote()).Document()))
		var values []string
		for _, n := range all(root, func(n *html.Node) bool { kind, _ := attr(n, "type"); return kind == "radio" }) {
			value, _ := attr(n, "value")
			values = append(values, value)
			if _, checked := attr(n, "checked"); checked {
				t.Errorf("%s is chosen from the start", value)
			}
		}
		if got := strings.Join(values, " "); got != "1 2 wAbCdEfGhIjK write_in" {
			t.Errorf("got the choices %s", got)
		}
	})
	t.Run("keeps what was chosen beside what is wrong", func(t *testing.T) {
		text := render(t, pages()["vote, wrong"].Part())
		for _, want := range []string{
			`value="write_in" required checked`,
			`aria-describedby="write_in-error"`,
			`id="write_in-error"`,
			`href="#choice"`,
			`value="` + vote().VoteID + `"`,
			`Please try again in 1 second.`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is missing", want)
			}
		}
	})
	t.Run("loads itself anew before opening, without scripts", func(t *testing.T) {
		for name, want := range map[string]bool{"vote": false, "vote, scheduled": true, "vote, closed": false} {
			if text := render(t, pages()[name].Document()); strings.Contains(text, `http-equiv="refresh"`) != want {
				t.Errorf("%s loads itself anew: %t", name, !want)
			}
		}
	})
	t.Run("has no form while nobody can vote", func(t *testing.T) {
		for _, name := range []string{"vote, scheduled", "vote, closed"} {
			if text := render(t, pages()[name].Document()); strings.Contains(text, `<form id="vote"`) {
				t.Errorf("%s has a form", name)
			}
		}
	})
}

func TestNewPage(t *testing.T) {
	text := render(t, pages()["new, wrong"].Part())
	for _, want := range []string{
		`id="option-2" name="options" value="a"`,
		`id="option-2-error">This option stands there twice.`,
		`href="#option-2"`,
		`value="at" selected`,
		`value="Europe/Berlin" selected`,
		`<details class="rules" open>`,
		`value="2020-01-01T10:00"`,
		`aria-describedby="question-hint question-error"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if n := strings.Count(text, `name="options"`); n != 10 {
		t.Errorf("got %d rows for a browser without scripts, want 10", n)
	}
}

func TestResultsPage(t *testing.T) {
	const live = `hx-sse:connect="/ballots/` + ballotID + `/live?until=gone&amp;after=7&amp;lang=en"`
	t.Run("follows an open ballot", func(t *testing.T) {
		text := render(t, pages()["results"].Document())
		if assets.HasHTMX() != strings.Contains(text, live) {
			t.Error("the stream belongs there exactly when htmx does")
		}
		if !strings.Contains(text, `http-equiv="refresh"`) {
			t.Error("nothing loads the page anew without scripts")
		}
	})
	t.Run("is whole without htmx", func(t *testing.T) {
		bare := page
		bare.Assets = &views.Assets{} // as built without make assets
		text := render(t, views.ResultsPage(bare, results()).Document())
		if strings.Contains(text, "hx-sse") || strings.Contains(text, "htmx") {
			t.Error("it asks for what is not there")
		}
		if !strings.Contains(text, `<meta http-equiv="refresh" content="15">`) || strings.Contains(text, "<noscript>") {
			t.Error("nothing loads the page anew")
		}
	})
	t.Run("follows a closed one, which may be opened again", func(t *testing.T) {
		text := render(t, pages()["results, closed"].Document())
		if assets.HasHTMX() != strings.Contains(text, live) || strings.Contains(text, `http-equiv="refresh"`) {
			t.Error("a final result is not followed, or loaded again and again")
		}
		if !strings.Contains(text, "final result") || !strings.Contains(text, "wins") {
			t.Error("the final result is not called so")
		}
	})
	t.Run("shows the whole receipt", func(t *testing.T) {
		text := render(t, pages()["results"].Part())
		for _, want := range []string{"7f3a…c2", "7f3aQm0Lk2WvXc8RtYpZbdc2", "01000000-0000-0000-0000-000000000000"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is missing", want)
			}
		}
	})
	t.Run("sends those to vote who have not", func(t *testing.T) {
		if text := render(t, pages()["results, not voted"].Part()); !strings.Contains(text, `href="/ballots/`+ballotID+`">vote`) {
			t.Error("there is no link to the vote page")
		}
	})
}

func TestErrorPage(t *testing.T) {
	t.Run("has words for every code", func(t *testing.T) {
		for _, code := range codes {
			for _, part := range []string{".title", ".text"} {
				if !page.Locale.Has("problem." + string(code) + part) {
					t.Errorf("problem.%s%s has no text", code, part)
				}
			}
		}
	})
	t.Run("rounds the time to wait up", func(t *testing.T) {
		if text := render(t, pages()["error, to retry"].Part()); !strings.Contains(text, "in 2 seconds") {
			t.Error("1.5 s are not 2 seconds")
		}
	})
}

var codes = []oponn.Code{
	oponn.CodeMalformed, oponn.CodeVoterRequired, oponn.CodeOwnerRequired, oponn.CodeResultsHidden, oponn.CodeCodeRefused, oponn.CodeCrossSite, oponn.CodeNotFound,
	oponn.CodeGone, oponn.CodeAlreadyVoted, oponn.CodeVoteIDReused, oponn.CodeNotOpen, oponn.CodeClosed,
	oponn.CodeTooLarge, oponn.CodeUnsupported, oponn.CodeInvalid, oponn.CodeRateLimited, oponn.CodeBusy,
	oponn.CodeStoreUnavailable, oponn.CodeKeysUnavailable, oponn.CodeOutcomeUnknown, oponn.CodeDraining, oponn.CodeInternal,
}
