package http_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	oponnhttp "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/http/browsertest"
)

// place is a page of the service in one of its states, and how to get there.
type place struct {
	name, path string
	then       func(visitor)
}

// places are all pages, for a visitor who has voted on the ballot and owns it.
// A new page belongs here: it is then held to what all are held to.
func (w *world) places(v visitor) []place {
	w.t.Helper()
	id, ownerKey := w.busyBallot()
	path := "/ballots/" + id
	v.must(v.Go(w.url + path))
	v.must(v.Click("label.choice"))
	v.must(v.Click("#vote .button-primary"))
	v.await("your vote is counted")
	receipt := v.eval("document.querySelector('.receipt .actions a').getAttribute('href')")
	v.must(v.Go(w.url + path + "/manage"))
	v.must(v.Type("#owner_key", ownerKey))
	v.must(v.Click("form .button-primary"))
	v.await("close_now")
	fresh := func(d draft) created {
		for name, value := range teaOrCoffee() {
			if _, given := d[name]; !given {
				d[name] = value
			}
		}
		return w.ballot(d)
	}
	open, coded, several := fresh(draft{}), fresh(draft{"protection": "codes"}), fresh(draft{"choices": map[string]int{"min": 2, "max": 3}})
	later, closed := fresh(draft{"opens_at": "2035-01-01T00:00:00Z"}), fresh(draft{})
	hidden := fresh(draft{"visibility": "after_closing"})
	w.close(closed)
	press := func(button, text string) func(visitor) {
		return func(v visitor) {
			v.must(v.Click(button))
			v.await(text)
		}
	}
	managed := func(then func(visitor)) func(visitor) {
		return func(v visitor) {
			v.must(v.AwaitTrue("document.querySelector('#owner_key').value !== ''"))
			v.must(v.Click("form .button-primary"))
			v.await("delete_ballot")
			if then != nil {
				then(v)
			}
		}
	}
	return []place{
		{"home", "/", nil},
		{"new", "/new", nil},
		{"new with errors", "/new", press("#new .button-primary", "things to mend")},
		{"created", "/new", func(v visitor) {
			v.must(v.Type("#question", "Tabs or spaces?"))
			v.must(v.Type("#option-1", "tabs"))
			v.must(v.Type("#option-2", "spaces"))
			v.must(v.Click("#new .button-primary"))
			v.await("manage_link")
		}},
		{"vote", open.path(), nil},
		{"vote with errors", open.path(), press("#vote .button-primary", "Please choose an option.")},
		{"vote kept", open.path(), func(v visitor) {
			v.must(v.Click("label.choice"))
			v.must(v.Do(browsertest.Offline()))
			v.must(v.Click("#vote .button-primary"))
			v.await("Your vote is kept")
			v.eval("document.querySelector('label.choice:nth-of-type(2)').click(); document.querySelector('[data-unreachable]').hidden = false; ''")
			v.must(v.Do(browsertest.Online()))
		}},
		{"vote by code", coded.path(), press("#vote .button-primary", "Please type your code.")},
		{"vote for several", several.path(), nil},
		{"scheduled", later.path(), nil},
		{"closed", closed.path(), nil},
		{"results", path + "/results", nil},
		{"results offline", path + "/results", func(v visitor) {
			v.must(v.Do(browsertest.Offline()))
			v.await("offline: results may be old")
			v.must(v.Do(browsertest.Online()))
		}},
		{"final result", closed.path() + "/results", nil},
		{"results hidden", hidden.path() + "/results", nil},
		{"receipt", receipt, nil},
		{"manage", path + "/manage", nil},
		{"manage without key", open.path() + "/manage", nil},
		{"delete?", several.path() + "/manage#" + several.OwnerKey, managed(press("[value=delete]", "for good"))},
		{"codes", coded.path() + "/manage#" + coded.OwnerKey, managed(func(v visitor) {
			v.must(v.Type("#count", "3"))
			v.must(v.Click("[value=make_codes]"))
			v.await("3 codes")
		})},
		{"present", path + "/present", nil},
		{"present when closed", closed.path() + "/present", nil},
		{"embed", path + "/embed", nil},
		{"join", "/join?code=000000", nil},
		{"docs", "/docs", nil},
		{"report", path + "/report", press("#report .button-primary", "There is one thing to mend")},
		{"privacy", "/privacy", nil},
		{"imprint", "/imprint", nil},
		{"error", "/ballots/nothing-here", nil},
	}
}

// visitPlace goes there, and opens what is folded.
func (v visitor) visitPlace(base string, p place) {
	v.t.Helper()
	v.must(v.Go(base + p.path))
	if p.then != nil {
		p.then(v)
	}
	v.eval("for (const box of document.querySelectorAll('details')) box.open = true; ''")
}

// axe is the source of axe-core, which `make assets` brings.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../views/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("run make assets: %v", err)
	}
	return string(source)
}

// TestEveryone_Axe has axe-core look at every page: nothing breaks WCAG 2.2 up
// to AA, in either scheme.
func TestEveryone_Axe(t *testing.T) {
	w, chromium, source := start(t, withImprint), launch(t), axe(t)
	for scheme, option := range map[string]browsertest.Option{"dark": browsertest.Dark(), "light": browsertest.Light()} {
		t.Run(scheme, func(t *testing.T) {
			v := visit(t, chromium, 390, 844, option)
			for _, p := range w.places(v) {
				v.visitPlace(w.url, p)
				found, err := v.Axe(source)
				v.must(err)
				for _, violation := range found {
					t.Errorf("%s: %s", p.name, violation)
				}
			}
		})
	}
}

// TestEveryone_AxeIsAwake makes sure that the one who finds nothing looks.
func TestEveryone_AxeIsAwake(t *testing.T) {
	w := start(t, tuning{})
	v := visit(t, launch(t), 390, 844, browsertest.Light())
	v.must(v.Go(w.url + "/new"))
	v.eval("document.querySelector('label').remove(); document.querySelector('.hint').style.color = '#999'; ''")
	found, err := v.Axe(axe(t))
	v.must(err)
	for _, rule := range []string{"label: ", "color-contrast: "} {
		if !strings.Contains(strings.Join(found, "\n"), rule) {
			t.Errorf("axe-core doesn't see %sin %q", rule, found)
		}
	}
}

// TestEveryone_SlowNetwork votes over a bad mobile network: the vote is on the
// voter's screen, and on another's, within three seconds. The network takes
// what it takes; the rest is ours.
func TestEveryone_SlowNetwork(t *testing.T) {
	const most = 3 * time.Second
	w, chromium := start(t, tuning{}), launch(t)
	b := w.ballot(teaOrCoffee())
	voter, watcher := visit(t, chromium, 390, 844), visit(t, chromium, 390, 844)
	for _, v := range []visitor{voter, watcher} {
		v.must(v.Do(browsertest.Slow3G()))
	}
	watcher.must(watcher.Go(w.url + b.path() + "/results"))
	watcher.awaitState("live")
	begin := time.Now()
	voter.must(voter.Go(w.url + b.path()))
	loaded := time.Since(begin)
	voter.must(voter.Click("label.choice"))
	voter.must(voter.Click("#vote .button-primary"))
	own := voter.await("your vote is counted")
	other := watcher.await("1 vote")
	t.Logf("the page took %s, the vote %s to the voter's screen and %s more to another's", loaded, own, other)
	if loaded > most || own > most || own+other > most {
		t.Errorf("that is more than %s", most)
	}
}

// TestEveryone_Weight measures what loads before a page is there: less than
// 60 KB, and all of it is named by the page itself.
func TestEveryone_Weight(t *testing.T) {
	const most = 60_000
	w, chromium := start(t, withImprint), launch(t)
	guest := visit(t, chromium, 390, 844)
	var report strings.Builder
	for _, p := range w.places(guest) {
		if p.then != nil {
			continue
		}
		load, err := guest.Weigh(w.url + p.path)
		guest.must(err)
		fmt.Fprintf(&report, "%-20s %6d bytes in %d requests\n", p.name, load.Bytes, len(load.Requests))
		if load.Bytes > most {
			t.Errorf("%s weighs %d bytes", p.name, load.Bytes)
		}
		if len(load.Late) > 0 {
			t.Errorf("%s needs a second round for %q", p.name, load.Late)
		}
	}
	t.Log("\n" + report.String())
}

var withImprint = tuning{http: func(c *oponnhttp.Config) { c.Imprint = "Oponn, 1 Vote Street" }}
