package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/console"
)

const (
	// maxLooking is how many may look at the same time.
	maxLooking = 32
	// streamEvery is the time between two looks of a stream.
	streamEvery = time.Second
	// writeWithin is how long who looks may take to read one.
	writeWithin = 5 * time.Second
)

// policy lets pages load our own scripts and styles and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (c *liveConsole) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", c.overview)
	mux.HandleFunc("GET /console.json", c.overviewJSON)
	mux.HandleFunc("GET /live", c.overviewLive)
	mux.HandleFunc("GET /ballots", c.find)
	mux.HandleFunc("GET /ballots/{id}", c.withBallot(c.ballot))
	mux.HandleFunc("GET /ballots/{id}/live", c.withBallot(c.ballotLive))
	mux.HandleFunc("POST /ballots/{id}/wake", c.withBallot(c.wake))
	mux.HandleFunc("POST /ballots/{id}/sleep", c.withBallot(c.sleep))
	mux.Handle("GET "+views.AssetsPrefix, c.Assets)
}

func (c *liveConsole) overview(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		c.overviewJSON(w, r)
		return
	}
	show(w, r, http.StatusOK, console.Overview(c.page(r), c.look(r.Context())))
}

func (c *liveConsole) overviewJSON(w http.ResponseWriter, r *http.Request) {
	showJSON(w, c.look(r.Context()))
}

func (c *liveConsole) overviewLive(w http.ResponseWriter, r *http.Request) {
	c.stream(w, r, func(ctx context.Context) templ.Component { return console.OverviewFragment(c.look(ctx)) })
}

// find leads from a form to a ballot.
func (c *liveConsole) find(w http.ResponseWriter, r *http.Request) {
	id, err := oponn.ParseBallotID(strings.TrimSpace(r.FormValue("id")))
	if err != nil {
		http.Error(w, "That is not the id of a ballot.", http.StatusNotFound)
		return
	}
	http.Redirect(w, r, ballotPath(id), http.StatusSeeOther) //nolint:gosec // an id is what was parsed, a path of ours
}

func ballotPath(id oponn.BallotID) string { return "/ballots/" + id.String() }

// withBallot serves what is about a ballot.
func (c *liveConsole) withBallot(serve func(http.ResponseWriter, *http.Request, oponn.BallotID)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := oponn.ParseBallotID(r.PathValue("id"))
		if err != nil {
			http.Error(w, "That is not the id of a ballot.", http.StatusNotFound)
			return
		}
		serve(w, r, id)
	}
}

func (c *liveConsole) ballot(w http.ResponseWriter, r *http.Request, id oponn.BallotID) {
	w.Header().Set("Vary", "Accept")
	view := c.view(r.Context(), id)
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		showJSON(w, view.Ballot)
		return
	}
	view.Did = console.Deed(r.FormValue("did"))
	show(w, r, http.StatusOK, console.BallotPage(c.page(r), view))
}

func (c *liveConsole) ballotLive(w http.ResponseWriter, r *http.Request, id oponn.BallotID) {
	c.stream(w, r, func(ctx context.Context) templ.Component { return console.BallotFragment(c.view(ctx, id)) })
}

func (c *liveConsole) view(ctx context.Context, id oponn.BallotID) console.BallotView {
	return console.BallotView{At: time.Now(), Self: console.Instance{Name: c.Name, Version: c.Version}, Ballot: c.Runtime.Ballot(ctx, id)}
}

// wake and sleep are buttons: they lead back to the ballot's page, which says
// what came of it.
func (c *liveConsole) wake(w http.ResponseWriter, r *http.Request, id oponn.BallotID) {
	err := c.Runtime.Wake(r.Context(), id)
	did := console.Woken
	switch code := oponn.CodeOf(err); {
	case err == nil:
	case code == oponn.CodeNotFound, code == oponn.CodeGone:
		did = console.NotFound
	default:
		did = console.Failed
	}
	c.acted(w, r, id, "wake", did, err)
}

func (c *liveConsole) sleep(w http.ResponseWriter, r *http.Request, id oponn.BallotID) {
	asleep, err := c.Runtime.Sleep(r.Context(), id)
	did := console.Stayed
	switch {
	case err != nil:
		did = console.Failed
	case asleep:
		did = console.Slept
	}
	c.acted(w, r, id, "sleep", did, err)
}

func (c *liveConsole) acted(w http.ResponseWriter, r *http.Request, id oponn.BallotID, deed string, did console.Deed, err error) {
	if err != nil {
		c.log.Warn("operator's wish not done", "wish", deed, "ballot", id.String(), "error", err)
	} else {
		c.log.Info("operator's wish", "wish", deed, "ballot", id.String(), "outcome", string(did))
	}
	http.Redirect(w, r, ballotPath(id)+"?did="+string(did), http.StatusSeeOther) //nolint:gosec // an id is what was parsed, a path of ours
}

func (c *liveConsole) page(r *http.Request) console.Page {
	return console.Page{Assets: c.Assets, Path: r.URL.Path, Paused: r.URL.Query().Has("paused")}
}

// show answers with a page.
func show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked may have gone
}

func showJSON(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(what) // whoever asked may have gone
}

// stream sends a fragment at once and then every second, until who looks leaves
// or the server ends.
func (c *liveConsole) stream(w http.ResponseWriter, r *http.Request, look func(context.Context) templ.Component) {
	select {
	case c.seats <- struct{}{}:
		defer func() { <-c.seats }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Too many are looking at this moment.", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no")
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Time{}) // it was for the request
	turn := time.NewTicker(streamEvery)
	defer turn.Stop()
	for {
		var b bytes.Buffer
		if look(r.Context()).Render(r.Context(), &b) != nil {
			return
		}
		_ = conn.SetWriteDeadline(time.Now().Add(writeWithin)) // a recorder has none
		if writeEvent(w, b.String()) != nil || conn.Flush() != nil {
			return
		}
		select {
		case <-turn.C:
		case <-c.ended:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// writeEvent writes an unnamed event.
func writeEvent(w io.Writer, text string) error {
	_, err := io.WriteString(w, "data: "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\ndata: ")+"\n\n")
	return err
}
