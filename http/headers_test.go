package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// host is what production serves in tests.
const host = "vote.example"

// theMethods are those of HTTP, and one that isn't.
var theMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions, http.MethodTrace, "PROPFIND"}

// exchange sends bytes as they are and reads the head of the answer.
func (w *world) exchange(t *testing.T, sent string) *http.Response {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, sent); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(sent, " ")
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.80q: %v", sent, err)
	}
	return response
}

// request makes the bytes of one without a body.
func raw(method, target string, headers ...string) string {
	text := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for i := 0; i+1 < len(headers); i += 2 {
		text += headers[i] + ": " + headers[i+1] + "\r\n"
	}
	return text + "\r\n"
}

// kept are the paths whose answers may be kept by whoever asked, and how.
var kept = map[string]string{
	"/ballots/:id":                "private, no-cache", // Back shows the same form, with its vote id
	"/ballots/:id/preview.png":    "public, max-age=300",
	"/api/v1/ballots/:id/results": "no-cache", // asked again with the ETag
	"/api/v1/openapi.json":        "no-cache",
	views.AssetsPrefix + "*":      "public, max-age=31536000, immutable",
}

// wantGuarded checks what protects an answer. Its pattern is empty where there
// is no such route.
func wantGuarded(t *testing.T, method, pattern, path string, status int, h http.Header) {
	t.Helper()
	what := fmt.Sprintf("%s %s (%d)", method, path, status)
	want := func(name, value string) {
		t.Helper()
		if got := h.Values(name); len(got) != 1 || got[0] != value {
			t.Errorf("%s has %s: %q, want %q", what, name, got, value)
		}
	}
	want("X-Content-Type-Options", "nosniff")
	want("Strict-Transport-Security", "max-age=31536000")
	policy := h.Get("Content-Security-Policy")
	embeds := pattern == "/ballots/:id/embed" && status == http.StatusOK
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "nonce") ||
		strings.Contains(policy, "http") || strings.Contains(policy, "frame-ancestors 'none'") == embeds || strings.Contains(policy, "*") != embeds {
		t.Errorf("%s has the policy %q", what, policy)
	}
	if !strings.HasPrefix(path, "/api/") {
		if pattern == "/ballots/:id/codes/:code" && (method == http.MethodGet || method == http.MethodHead) {
			want("Referrer-Policy", "no-referrer")
		} else {
			want("Referrer-Policy", "same-origin")
		}
		if want("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"); !embeds {
			want("Cross-Origin-Opener-Policy", "same-origin")
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s can be read by other sites", what)
		}
	}
	if h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Server") != "" || h.Get("X-Powered-By") != "" {
		t.Errorf("%s has %v", what, h)
	}
	cached := "no-store"
	if status < http.StatusBadRequest && (method == http.MethodGet || method == http.MethodHead) && kept[pattern] != "" && status != http.StatusSeeOther {
		cached = kept[pattern]
	}
	want("Cache-Control", cached)
	for _, cookie := range (&http.Response{Header: h}).Cookies() {
		lent := strings.HasPrefix(cookie.Path, "/ballots/") && cookie.SameSite == http.SameSiteStrictMode // the key of a new ballot
		if !lent && (!strings.HasPrefix(cookie.Name, "__Host-") || cookie.Path != "/") || cookie.Domain != "" || !cookie.Secure || !cookie.HttpOnly ||
			cookie.SameSite != http.SameSiteLaxMode && cookie.SameSite != http.SameSiteStrictMode {
			t.Errorf("%s sets the cookie %s", what, cookie)
		}
	}
	if status >= http.StatusInternalServerError || status < http.StatusOK {
		t.Errorf("%s", what)
	}
}

// TestHeaders_Everywhere walks all there is, with every method, as production
// serves it, streams as their heads come from the wire.
func TestHeaders_Everywhere(t *testing.T) {
	w := production(t)
	b := document[created](t, w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee().with("protection", "codes"), "Host", host).want(t, http.StatusCreated))
	fill := strings.NewReplacer(":id", b.ID, ":receipt", "none", ":option", "1", ":code", oponn.NewVotingCode().Plain(), views.AssetsPrefix+"*", views.NewAssets().URL("oponn.css"))
	var patterns []string
	for _, route := range w.server.Routes() {
		if _, pattern, _ := strings.Cut(route, " "); !slices.Contains(patterns, pattern) {
			patterns = append(patterns, pattern)
		}
	}
	if len(patterns) < 35 {
		t.Fatalf("only %d routes", len(patterns))
	}
	for _, pattern := range append(patterns, "/nothing", "/api/", "/api/v1/nothing", views.AssetsPrefix+"nothing.js", "/.git/config", "/ballots/"+oponn.NewBallotID().String()) {
		path := fill.Replace(pattern)
		for _, method := range theMethods {
			for _, headers := range [][]string{nil, {"HX-Request", "true"}, {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}} {
				if method == http.MethodDelete && pattern == "/api/v1/ballots/:id" {
					headers = append(headers, "Authorization", "Bearer nobody's")
				}
				r := w.exchange(t, raw(method, path, headers...))
				wantGuarded(t, method, pattern, path, r.StatusCode, r.Header)
				if allowed := r.Header.Get("Access-Control-Allow-Methods"); allowed != "" && allowed != "GET, HEAD" {
					t.Errorf("%s %s lets other sites %s", method, path, allowed)
				}
			}
		}
	}
}

// TestHeaders_OfForms follows what people do.
func TestHeaders_OfForms(t *testing.T) {
	w := production(t)
	form := "application/x-www-form-urlencoded"
	made := w.do(request{method: http.MethodPost, path: "/ballots", header: head("Host", host, "Content-Type", form), body: reader("question=Tea%3F&options=yes&options=no")})
	wantGuarded(t, http.MethodPost, "/ballots", "/ballots", made.want(t, http.StatusSeeOther).status, made.header)
	path, _, _ := strings.Cut(made.header.Get("Location"), "/results")
	var cookies []string
	for _, c := range (&http.Response{Header: made.header}).Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	for target, body := range map[string]string{path + "/manage": "action=close", path + "/votes": "choice=1", path + "/codes": "action=make_codes&count=1", "/language": "language=de&back=%2F"} {
		r := w.do(request{method: http.MethodPost, path: target, header: head("Host", host, "Content-Type", form, "Cookie", strings.Join(cookies, "; ")), body: reader(body)})
		wantGuarded(t, http.MethodPost, target, target, r.status, r.header)
	}
	r := w.get(path+"/manage", "Host", host, "Cookie", strings.Join(cookies, "; ")).want(t, http.StatusOK)
	wantGuarded(t, http.MethodGet, "/ballots/:id/manage", path+"/manage", r.status, r.header)
}

// TestHeaders_OverTLS has streams keep their connection with net/http.
func TestHeaders_OverTLS(t *testing.T) {
	w := production(t)
	b := document[created](t, w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "Host", host).want(t, http.StatusCreated))
	front := httptest.NewUnstartedServer(w.server)
	front.EnableHTTP2 = true
	front.StartTLS()
	defer front.Close()
	for pattern, path := range map[string]string{"/ballots/:id/live": pageLive(b), "/api/v1/ballots/:id/live": apiLive(b), "/ballots/:id": b.path()} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := front.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		wantGuarded(t, http.MethodGet, pattern, path, response.StatusCode, response.Header)
	}
}

// TestPathTricks sends targets that other programs have fallen for. Nothing is
// found, nobody is led away, and no file is read.
func TestPathTricks(t *testing.T) {
	w := production(t)
	b := document[created](t, w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "Host", host).want(t, http.StatusCreated))
	for _, target := range []string{
		"//evil.example", "//evil.example/", "//evil.example/%2e%2e", "///evil.example", "/\\evil.example", "/%5cevil.example", "/%2f%2fevil.example",
		"/..", "/../", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/assets/../../go.mod", "/assets/..%2f..%2fassets.go",
		"/assets/%2e%2e/assets.go", "/assets/", "/assets//etc/passwd", "/assets/.", "/assets", "/ballots/..%2fprivacy", "/ballots/%2e%2e/privacy", "/ballots/../privacy",
		"/ballots//", "/ballots/%00", "/ballots/" + b.ID + "%00", "/ballots/" + b.ID + "/", "/ballots/" + b.ID + "%2fresults", "/ballots/" + b.ID + "/results/", "/ballots/" + b.ID + "/%2e/results",
		"/ballots/" + b.ID + ";a=b", "/ballots/" + b.ID + "/./results", "/BALLOTS/" + b.ID, "/Api/v1/ballots/" + b.ID, "/api/v1//ballots/" + b.ID, "/api/v1/ballots/" + b.ID + "/../" + b.ID,
		"/b/%2f%2fevil.example", "/b/evil.example", "/b/..", "/b/", "/new/", "/join/", "/%0d%0aSet-Cookie:%20a=b", "/ballots/%0d%0aX:%20y", "/b/%0d%0aLocation:%20x",
		"/debug/pprof/", "/metrics", "/healthz", "/readyz", "/.env", "/" + strings.Repeat("a/", 8000), "/" + strings.Repeat("%2e", 8000),
		"http://evil.example/", "http://" + host + "/%2f%2fevil.example", "*",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
			r := w.exchange(t, raw(method, target))
			if location := r.Header.Get("Location"); location != "" {
				if at, err := url.Parse("https://" + host + "/x"); err != nil || !leadsHome(at, location) {
					t.Errorf("%s %.80s leads to %q", method, target, location)
				}
			}
			if r.StatusCode >= 500 || r.StatusCode < 300 || r.Header.Get("X") != "" || len(r.Cookies()) > 0 {
				t.Errorf("%s %.80s answers %d with %v", method, target, r.StatusCode, r.Header)
			}
		}
	}
}

// leadsHome says whether a browser that is at an address stays with its host.
func leadsHome(at *url.URL, location string) bool {
	// What browsers do with backslashes and white space before they look.
	cleaned := strings.Map(func(r rune) rune {
		switch r {
		case '\\':
			return '/'
		case '\t', '\n', '\r':
			return -1
		}
		return r
	}, strings.TrimLeft(location, " \x00\x01\x1f"))
	to, err := at.Parse(cleaned)
	return err == nil && to.Host == at.Host && to.Scheme == at.Scheme && !strings.HasPrefix(cleaned, "//")
}

// TestOpenRedirects names places to be led to, wherever something leads on.
func TestOpenRedirects(t *testing.T) {
	w := production(t)
	b := document[created](t, w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "Host", host).want(t, http.StatusCreated))
	at := &url.URL{Scheme: "https", Host: host, Path: "/x"}
	for _, place := range []string{
		"https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example",
		"/%09/evil.example", "/%2f/evil.example", "/%2fevil.example/ ", "/%2fevil.example/\"", "/.//evil.example", "/..//evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "@evil.example", ":80", "/\\/evil.example",
		"http:evil.example", "https:/evil.example", "/%5c/evil.example", "/;//evil.example", "?//evil.example", "#//evil.example", "/x?y=//evil.example", "/\u2028/evil.example", "/\x00/evil.example", "／／evil.example",
	} {
		query := url.Values{"back": {place}, "language": {"de"}, "next": {place}, "url": {place}, "redirect": {place}, "code": {place}, "from": {place}}.Encode()
		for _, htmx := range []string{"", "true"} {
			r := w.do(request{method: http.MethodPost, path: "/language", body: reader(query),
				header: head("Host", host, "Content-Type", "application/x-www-form-urlencoded", "HX-Request", htmx)})
			for _, name := range []string{"Location", "HX-Redirect"} {
				if to := r.header.Get(name); to != "" && !leadsHome(at, to) {
					t.Errorf("back to %q is %s: %q", place, name, to)
				}
			}
			if r.header.Get("Location")+r.header.Get("HX-Redirect") == "" {
				t.Errorf("back to %q leads nowhere: %d", place, r.status)
			}
		}
		for _, path := range []string{"/", "/new", "/join", "/b/" + b.ID, b.path(), b.path() + "/results", b.path() + "/manage", b.path() + "/codes/AAAA"} {
			named := strings.Map(func(r rune) rune { // headers can't hold everything
				if r < ' ' {
					return -1
				}
				return r
			}, place)
			r := w.get(path+"?"+query, "Host", host, "Referer", named, "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example",
				"X-Original-URL", named, "X-Rewrite-URL", named, "HX-Current-URL", named)
			if to := r.header.Get("Location"); to != "" && !leadsHome(at, to) || strings.Contains(to, "evil.example") && !strings.Contains(to, "?") {
				t.Errorf("%s leads to %q", path, to)
			}
			for _, attribute := range []string{`href="` + place, `action="` + place, `href="https://evil`, `content="https://evil`, `action="//`, `href="//`} {
				if len(place) > 4 && strings.Contains(r.body, attribute) {
					t.Errorf("%s?back=%q has %s", path, place, attribute)
				}
			}
		}
	}
}

// TestMethodsInDisguise asks for another method than that of the request.
func TestMethodsInDisguise(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	api := "/api/v1/ballots/" + b.ID
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"} {
		for _, method := range []string{http.MethodDelete, http.MethodPatch} {
			for _, path := range []string{api, api + "?_method=" + method, api + "?method=" + method} {
				r := w.send(http.MethodPost, path, `{"status":"closed","_method":"`+method+`"}`, name, method, "Authorization", "Bearer "+b.OwnerKey)
				if r.status != http.StatusMethodNotAllowed {
					t.Errorf("POST %s with %s: %s gets %d", path, name, method, r.status)
				}
				if r := w.get(path, name, method, "Authorization", "Bearer "+b.OwnerKey); r.status != http.StatusOK {
					t.Errorf("GET %s with %s: %s gets %d", path, name, method, r.status)
				}
			}
		}
	}
	if got := w.results(b.ID).Status; got != "open" {
		t.Errorf("the ballot is %s", got)
	}
}
