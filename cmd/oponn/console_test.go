package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	domain "github.com/oponn/oponn"
	"github.com/oponn/oponn/http/browsertest"
	"github.com/oponn/oponn/views/console"
)

// consoleOf is what a server's console shows.
func consoleOf(t *testing.T, s *server) (seen console.State) {
	t.Helper()
	status, text := fetch(t, s.ops+"/console.json")
	if err := json.Unmarshal([]byte(text), &seen); err != nil {
		t.Fatalf("%d: %v", status, err)
	}
	return seen
}

// keepVoting casts votes on a ballot until it is stopped, and returns how many
// were taken.
func (b *ballot) keepVoting() (stop func() int) {
	b.Helper()
	const voters = 4
	done, taken := make(chan struct{}), atomic.Int64{}
	var all sync.WaitGroup
	for range voters {
		all.Go(func() {
			for {
				tokens, ok := newTokens(b.here, 20)
				for i := 0; ok && i < len(tokens); i++ {
					select {
					case <-done:
						return
					default:
					}
					v := &vote{ballot: b.id, token: tokens[i], id: domain.NewVoteID().String(), body: map[string]any{"choices": []string{"1"}}}
					if status, _ := v.send(b.here); status == http.StatusCreated {
						taken.Add(1)
					}
				}
				if !ok {
					return
				}
			}
		})
	}
	return sync.OnceValue(func() int {
		close(done)
		all.Wait()
		return int(taken.Load())
	})
}

// watch opens a stream of the ballot's result.
func (b *ballot) watch() (leave func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.here.url+"/api/v1/ballots/"+b.id+"/live", nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cancel(); response.Body.Close() })
	return func() { cancel(); response.Body.Close() }
}

// onConsole is an operator with a browser.
type onConsole struct {
	*journey
	*browsertest.Visitor
}

func (j *journey) operator(width, height int64, options ...browsertest.Option) onConsole {
	j.Helper()
	v, err := j.chromium.Visitor(width, height, options...)
	if err != nil {
		j.Fatal(err)
	}
	j.Cleanup(v.Leave)
	return onConsole{j, v}
}

func (o onConsole) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o onConsole) awaits(words ...string) {
	o.Helper()
	for _, word := range words {
		_, err := o.AwaitText(word)
		o.must(err)
	}
}

// TestConsole looks at a server under load in a real browser, and presses the
// buttons.
func TestConsole(t *testing.T) {
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	j := &journey{T: t, chromium: chromium, here: s, there: s}
	hot, calm := j.ballot(nil), j.ballot(nil)
	leave := hot.watch()
	stop := hot.keepVoting()
	eventually(t, "the hot ballot is hot", func() bool {
		seen := consoleOf(t, s)
		return len(seen.Hottest) > 0 && seen.Hottest[0].Ballot == hot.id && seen.Hottest[0].Votes > 1 && seen.Hottest[0].Viewers == 1
	})
	fetch(t, s.url+"/api/v1/ballots/"+calm.id+"/results")

	o := j.operator(1280, 800, browsertest.Dark())
	o.must(o.Go(s.ops + "/"))
	o.awaits("live", "ready", "writer/0", "audience", "relay", hot.id, calm.id, "Instances")
	o.must(o.AwaitTrue(`document.querySelector('[data-connection]').dataset.connection === 'live'`))
	// The listener's time-outs are for requests: a stream outlasts them.
	first, err := browsertest.Eval[string](o.Visitor, `document.querySelector('[data-at]').dataset.at`)
	o.must(err)
	o.must(o.AwaitTrue(fmt.Sprintf(`(Date.parse('1970-01-01T' + document.querySelector('[data-at]').dataset.at + 'Z') - Date.parse('1970-01-01T%sZ') + 86400000) %% 86400000 > 11000`, first)))
	o.must(o.AwaitTrue(`document.querySelector('#chart-0 .console-first').getAttribute('d').includes('L')`))
	o.must(o.Click("[data-pause]"))
	o.awaits("resume")
	before, err := o.Text()
	o.must(err)
	o.must(o.Click("[data-pause]"))
	o.awaits("pause")
	o.must(o.AwaitTrue(`document.querySelector('#live').innerText !== ` + quoted(before)))
	o.press(hot, calm)
	o.isAccessible(hot)

	leave()
	taken := stop()
	o.must(o.Go(s.ops + "/ballots/" + hot.id))
	o.must(o.AwaitTrue(`document.querySelector('#live').innerText.includes('viewers here\n0')`))
	o.must(o.Click(`form[action$="/sleep"] button`))
	o.awaits("was put to sleep", "asleep")
	hot.wants(s, map[string]uint64{"tea": uint64(taken), "coffee": 0})
	o.awaits("awake")
	if errors := o.Errors(); len(errors) > 0 {
		t.Errorf("scripts complain: %q", errors)
	}
	s.stop(t)
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// press puts ballots to sleep, and wakes one.
func (o onConsole) press(hot, calm *ballot) {
	o.Helper()
	o.must(o.Go(o.here.ops + "/"))
	o.must(o.Type("#id", hot.id))
	o.must(o.Click(".console-find button"))
	o.awaits("ballot/"+hot.id, "awake", "head version", "json")
	o.must(o.Click(`form[action$="/sleep"] button`))
	o.awaits("stays awake: somebody watches it")
	o.must(o.Go(o.here.ops + "/ballots/" + calm.id))
	o.must(o.Click(`form[action$="/sleep"] button`))
	o.awaits("was put to sleep", "asleep")
	o.must(o.Click(`form[action$="/wake"] button`))
	o.awaits("The ballot is awake.")
}

// isAccessible has axe-core look at the console in both schemes, on a screen
// and on a phone, which nothing may be too wide for.
func (o onConsole) isAccessible(b *ballot) {
	o.Helper()
	axe, err := os.ReadFile("../../views/node_modules/axe-core/axe.min.js")
	if err != nil {
		o.Fatalf("run make assets: %v", err)
	}
	for scheme, option := range map[string]browsertest.Option{"dark": browsertest.Dark(), "light": browsertest.Light()} {
		for _, width := range []int64{390, 1280} {
			v := o.operator(width, 844, option)
			for _, path := range []string{"/", "/ballots/" + b.id} {
				v.must(v.Go(o.here.ops + path))
				v.awaits("live")
				found, err := v.Axe(string(axe))
				v.must(err)
				for _, violation := range found {
					o.Errorf("%s, %s, %d wide: %s", path, scheme, width, violation)
				}
				if wide, err := browsertest.Eval[bool](v.Visitor, "document.documentElement.scrollWidth > innerWidth"); err != nil || wide {
					o.Errorf("%s is wider than %d (%v)", path, width, err)
				}
			}
		}
	}
}

// TestConsole_WithoutScripts has a browser load it anew every few seconds.
func TestConsole_WithoutScripts(t *testing.T) {
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	_, page := fetch(t, s.ops+"/")
	if !strings.Contains(page, `<noscript><meta http-equiv="refresh"`) {
		t.Error("the page stays as it is")
	}
	if _, page := fetch(t, s.ops+"/?paused"); strings.Contains(page, `http-equiv="refresh"`) {
		t.Error("a page that is paused is loaded anew")
	}
	if status, _ := fetch(t, s.url+"/console.json"); status != http.StatusNotFound {
		t.Errorf("the world sees the console: %d", status)
	}
	s.stop(t)
}

// TestConsole_Instances has two instances know of each other.
func TestConsole_Instances(t *testing.T) {
	c := newCluster(t)
	here, there := c.serve(t), c.serve(t)
	for _, s := range []*server{here, there} {
		eventually(t, "both instances are there", func() bool {
			seen := consoleOf(t, s)
			return len(seen.Instances) == 2 && seen.Instances[1].Status == "ready" && !seen.Alone
		})
	}
	out := mustTop(t, here)
	if strings.Count(out, " ready ") < 2 {
		t.Errorf("top doesn't show both:\n%s", out)
	}
	wantGoodEnd(t, here, there)
}
