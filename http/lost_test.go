package http_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/browsertest"
)

func launch(t *testing.T) *browsertest.Browser {
	t.Helper()
	chromium, quit, err := browsertest.Launch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quit)
	return chromium
}

// soon is how long a page may take to show the truth once it is back: within a
// second on a calm machine, which this one need not be.
const soon = 5 * time.Second

func (v visitor) awaitSoon(text string) {
	v.t.Helper()
	if took := v.await(text); took > soon {
		v.t.Errorf("%q was on the page after %s", text, took)
	}
}

// later moves the clock of the page's scripts: a stream that has just begun
// counts as one that has been open for a while.
func (v visitor) later(ms string) {
	v.t.Helper()
	v.eval("{ const real = Date.now; Date.now = () => real() + " + ms + "; } ''")
}

// TestLost_Result loses the connection of a live result in every way: the page
// says that it may be old, and shows the truth soon after being back.
func TestLost_Result(t *testing.T) {
	w := start(t, tuning{})
	between, b := w.wire(), w.ballot(teaOrCoffee())
	v := visit(t, launch(t), 390, 844)
	v.must(v.Go(between.url + b.path() + "/results"))
	v.awaitState("live")
	v.watchVotes()
	w.vote(b.ID, "1")
	v.await("1 vote")

	t.Log("a proxy cuts the stream")
	v.later("6000")
	between.cut()
	w.vote(b.ID, "1")
	v.awaitSoon("2 votes")
	v.awaitState("live")

	t.Log("the network is gone")
	between.leave(v)
	v.await("offline: results may be old")
	w.vote(b.ID, "2")
	between.enter(v)
	v.awaitSoon("3 votes")
	v.awaitState("live")

	t.Log("the phone sleeps, and wakes on another network")
	v.must(v.Do(browsertest.Sleep()))
	v.must(v.AwaitTrue("document.hidden"))
	between.kill()
	w.vote(b.ID, "2")
	v.must(v.Do(browsertest.Wake()))
	v.awaitSoon("4 votes")
	v.awaitState("live")

	t.Log("nobody notices that the connection is dead")
	between.kill()
	w.vote(b.ID, "1")
	v.later("40_000")
	v.awaitSoon("5 votes")
	v.awaitState("live")
	v.neverWentBack()
	if complaints := v.Errors(); len(complaints) > 0 {
		t.Errorf("the page's scripts complain: %q", complaints)
	}
}

// TestLost_NeverBack comes back to a server that knows less than the page.
func TestLost_NeverBack(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	target, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	var old atomic.Bool
	told := make(chan struct{})
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.FlushInterval = -1
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/live") || !old.Load() {
			pass.ServeHTTP(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/event-stream")
		_, _ = rw.Write([]byte("event: beat\ndata: hello\n\nid: 1\ndata: <p class=\"status\"><span class=\"votes\">1 votes</span></p>\n\n" +
			"event: told\ndata: all\n\n"))
		_ = http.NewResponseController(rw).Flush()
		<-told
	}))
	t.Cleanup(proxy.Close)
	defer close(told)
	w.vote(b.ID, "1")
	v := visit(t, launch(t), 390, 844)
	v.must(v.Go(proxy.URL + b.path() + "/results"))
	v.awaitState("live")
	w.vote(b.ID, "1")
	v.await("2 votes")
	v.watchVotes()
	v.eval("document.addEventListener('told', () => window.told = true); ''")
	old.Store(true)
	v.must(v.Do(browsertest.Offline()))
	v.await("offline: results may be old")
	v.must(v.Do(browsertest.Online()))
	v.must(v.AwaitTrue("window.told"))
	v.await("2 votes")
	v.neverWentBack()
}

// TestLost_Left leaves the page while its stream is being opened. The browser
// keeps such a page in memory; nobody watches it there.
func TestLost_Left(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	target, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	opening, given := make(chan struct{}, 10), make(chan struct{}, 10)
	pass := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/live") {
			opening <- struct{}{}
			<-r.Context().Done()
			given <- struct{}{}
			return
		}
		pass.ServeHTTP(rw, r)
	}))
	t.Cleanup(proxy.Close)
	v := visit(t, launch(t), 390, 844)
	v.must(v.Go(proxy.URL + b.path() + "/results"))
	<-opening
	v.must(v.Go(proxy.URL + "/new"))
	select {
	case <-given:
	case <-time.After(10 * time.Second):
		t.Fatal("the stream of a page that was left is still being opened")
	}
	v.must(v.Back())
	<-opening
}

// TestLost_Vote taps a vote where there is no network, in every way: it is
// kept, says so, and counts once.
func TestLost_Vote(t *testing.T) {
	w := start(t, tuning{})
	chromium, between := launch(t), w.wire()
	const kept, counted = "Your vote is kept in this browser", "your vote is counted"
	tap := func(t *testing.T, v visitor) {
		t.Helper()
		v.must(v.Click("label.choice:nth-of-type(2)"))
		v.must(v.Click("#vote .button-primary"))
	}
	begin := func(t *testing.T) (visitor, created) {
		t.Helper()
		b, v := w.ballot(teaOrCoffee()), visit(t, chromium, 390, 844)
		v.must(v.Go(between.url + b.path()))
		return v, b
	}
	once := func(t *testing.T, v visitor, b created) {
		t.Helper()
		if got := w.results(b.ID); got.Votes != 1 || got.Options[1].Votes != 1 {
			t.Errorf("counted: %+v", got)
		}
		v.must(v.AwaitTrue("localStorage.length === 0"))
	}
	t.Run("offline", func(t *testing.T) {
		v, b := begin(t)
		between.leave(v)
		tap(t, v)
		v.await(kept)
		if got := v.eval("document.activeElement.getAttribute('role')"); got != "alert" {
			t.Errorf("the focus is on %s", got)
		}
		if got := w.results(b.ID); got.Votes != 0 {
			t.Errorf("counted: %+v", got)
		}
		between.enter(v)
		v.awaitSoon(counted)
		once(t, v, b)
	})
	t.Run("the answer is lost", func(t *testing.T) {
		v, b := begin(t)
		cast := make(chan struct{}, 2)
		w.faults.set(func(f *faults) {
			f.cast = func(do func() (oponn.Receipt, error)) (oponn.Receipt, error) {
				defer func() { cast <- struct{}{} }()
				return do()
			}
		})
		between.deafen()
		tap(t, v)
		<-cast
		between.cut()
		v.await(counted)
		once(t, v, b)
	})
	t.Run("the server is busy", func(t *testing.T) {
		v, b := begin(t)
		var asked atomic.Int32
		w.faults.set(func(f *faults) {
			f.cast = func(cast func() (oponn.Receipt, error)) (oponn.Receipt, error) {
				if asked.Add(1) == 1 {
					return oponn.Receipt{}, oponn.Retryable(oponn.CodeBusy, time.Second, nil, "too many")
				}
				return cast()
			}
		})
		tap(t, v)
		v.await("So many votes at once")
		v.await(counted)
		once(t, v, b)
	})
	t.Run("a proxy finds no server", func(t *testing.T) {
		b, v := w.ballot(teaOrCoffee()), visit(t, chromium, 390, 844)
		target, err := url.Parse(w.url)
		if err != nil {
			t.Fatal(err)
		}
		var broken atomic.Bool
		pass := httputil.NewSingleHostReverseProxy(target)
		pass.FlushInterval = -1
		proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && broken.Swap(false) {
				http.Error(rw, "bad gateway", http.StatusBadGateway)
				return
			}
			pass.ServeHTTP(rw, r)
		}))
		defer proxy.Close()
		defer v.Leave()
		broken.Store(true)
		v.must(v.Go(proxy.URL + b.path()))
		tap(t, v)
		v.await(kept)
		v.await(counted)
		once(t, v, b)
	})
	t.Run("the page is closed and opened again", func(t *testing.T) {
		v, b := begin(t)
		between.leave(v)
		tap(t, v)
		v.await(kept)
		v.must(v.Go("about:blank"))
		between.enter(v)
		v.must(v.Go(between.url + b.path()))
		v.await(counted)
		once(t, v, b)
	})
	t.Run("another choice is made meanwhile", func(t *testing.T) {
		v, b := begin(t)
		between.leave(v)
		v.must(v.Click("label.choice:nth-of-type(1)"))
		v.must(v.Click("#vote .button-primary"))
		v.await(kept)
		v.must(v.Click("label.choice:nth-of-type(2)"))
		v.must(v.AwaitTrue("document.querySelector('[data-unreachable]').hidden"))
		between.enter(v)
		v.must(v.Click("#vote .button-primary"))
		v.await(counted)
		once(t, v, b)
	})
	t.Run("the ballot has closed meanwhile", func(t *testing.T) {
		v, b := begin(t)
		between.leave(v)
		tap(t, v)
		v.await(kept)
		v.must(v.Go("about:blank"))
		w.close(b)
		between.enter(v)
		v.must(v.Go(between.url + b.path()))
		v.await("could not be sent in time")
		v.must(v.AwaitTrue("localStorage.length === 0"))
	})
}
