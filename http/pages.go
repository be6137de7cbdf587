package http

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

func (s *Server) page(c echo.Context) views.Page {
	return views.Page{Locale: s.locale(c.Request()), Assets: s.cfg.Assets, Now: time.Now(), Path: pagePath(c), Imprint: s.cfg.Imprint != ""}
}

// show answers with a page: whole, or the part that htmx asks for. It is drawn
// before the first byte goes out, so that a page is never half an error.
func (s *Server) show(c echo.Context, status int, v views.View) error {
	page, err := draw(c, v)
	if err != nil {
		return err
	}
	return c.HTMLBlob(status, page)
}

// showPacked is show for a long page on which nothing is secret: it travels
// compressed. Of others the length would tell (BREACH).
func (s *Server) showPacked(c echo.Context, v views.View) error {
	page, err := draw(c, v)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Add("Vary", "Accept-Encoding")
	if views.AcceptsGzip(c.Request().Header.Get("Accept-Encoding")) {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(page) // a Buffer takes everything
		_ = w.Close()
		h.Set("Content-Encoding", "gzip")
		page = packed.Bytes()
	}
	return c.HTMLBlob(http.StatusOK, page)
}

func draw(c echo.Context, v views.View) ([]byte, error) {
	component := v.Document()
	if wantsPart(c.Request()) {
		component = v.Part()
	}
	var page bytes.Buffer
	// Also for a request whose time is over: somebody may still read why.
	if err := component.Render(context.WithoutCancel(c.Request().Context()), &page); err != nil {
		return nil, oponn.Internal(err)
	}
	h := c.Response().Header()
	h.Set("Vary", "HX-Request, HX-Request-Type, Accept-Language, Cookie")
	h.Set("Content-Language", v.Lang())
	return page.Bytes(), nil
}

// fromHTMX says whether htmx sends the request.
func fromHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// wantsPart says whether htmx will put the answer into the page it has.
func wantsPart(r *http.Request) bool {
	return fromHTMX(r) && r.Header.Get("HX-Request-Type") != "full"
}

// seeOther sends the browser to another of our pages.
func seeOther(c echo.Context, path string) error {
	if fromHTMX(c.Request()) {
		c.Response().Header().Set("HX-Redirect", path)
		return c.NoContent(http.StatusOK)
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// ballotID reads the ballot's id in the path.
func ballotID(c echo.Context) (oponn.BallotID, error) { return oponn.ParseBallotID(c.Param("id")) }

func votePath(id oponn.BallotID) string { return "/ballots/" + id.String() }

func resultsPath(id oponn.BallotID) string { return votePath(id) + "/results" }

// seen returns the version that the client says it has seen; zero when it says
// nothing that we understand.
func seen(c echo.Context) uint64 { return parseVersion(c.QueryParam("after")) }

func parseVersion(s string) uint64 {
	version, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return version
}
