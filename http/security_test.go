package http_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
	"github.com/oponn/oponn/views"
)

// production is a service behind https://vote.example.
func production(t *testing.T) *world {
	t.Helper()
	return start(t, tuning{http: func(c *oponnhttp.Config) {
		c.Production, c.PublicURL = true, &url.URL{Scheme: "https", Host: "vote.example"}
	}})
}

func TestProtectiveHeaders(t *testing.T) {
	w := production(t)
	b := document[created](t, w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "Host", "vote.example").want(t, http.StatusCreated))
	if b.URL != "https://vote.example/ballots/"+b.ID {
		t.Errorf("the link is %s", b.URL)
	}
	want := map[string]string{
		"X-Content-Type-Options":    "nosniff",
		"Strict-Transport-Security": "max-age=31536000",
	}
	wantOfPages := map[string]string{
		"Referrer-Policy":            "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Permissions-Policy":         "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	}
	wantOfAPI := map[string]string{"Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"}
	api := "/api/v1/ballots/" + b.ID
	for _, r := range []request{
		{method: "GET", path: "/"}, {method: "GET", path: "/new"}, {method: "POST", path: "/ballots"},
		{method: "GET", path: "/ballots/" + b.ID}, {method: "POST", path: "/ballots/" + b.ID + "/votes"},
		{method: "GET", path: "/ballots/" + b.ID + "/results"}, {method: "HEAD", path: "/ballots/" + b.ID + "/live"},
		{method: "POST", path: "/api/v1/ballots"}, {method: "GET", path: api}, {method: "PATCH", path: api},
		{method: "GET", path: api + "/results"}, {method: "HEAD", path: api + "/live"}, {method: "POST", path: api + "/votes"},
		{method: "POST", path: "/api/v1/voters"}, {method: "GET", path: views.NewAssets().URL("oponn.css")},
		{method: "GET", path: "/assets/nothing.css"}, {method: "GET", path: "/nothing"}, {method: "PUT", path: "/new"}, {method: "OPTIONS", path: "/"},
	} {
		r.header = head("Host", "vote.example")
		got := w.do(r)
		ofKind := wantOfPages
		if strings.HasPrefix(r.path, "/api/") {
			ofKind = wantOfAPI
		}
		for _, want := range []map[string]string{want, ofKind} {
			for name, value := range want {
				if got.header.Get(name) != value {
					t.Errorf("%s %s answers %d with %s: %q", r.method, r.path, got.status, name, got.header.Get(name))
				}
			}
		}
		if got.header.Get("X-Request-Id") == "" || got.header.Get("Cache-Control") == "" {
			t.Errorf("%s %s answers with %v", r.method, r.path, got.header)
		}
		if origin := got.header.Get("Access-Control-Allow-Origin"); (origin == "*") != (strings.HasPrefix(r.path, "/api/") && r.method != "POST" && r.method != "PATCH") {
			t.Errorf("%s %s allows the origin %q", r.method, r.path, origin)
		}
	}
}

func TestCookies(t *testing.T) {
	flags := func(r reply) string {
		for _, line := range r.header.Values("Set-Cookie") {
			name, rest, _ := strings.Cut(line, "=")
			_, attributes, _ := strings.Cut(rest, "; ")
			return name + ": " + attributes
		}
		return ""
	}
	w := production(t)
	b := document[created](t, w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "Host", "vote.example"))
	const attributes = "Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax"
	if got := flags(w.get("/ballots/"+b.ID, "Host", "vote.example")); got != "__Host-oponn_voter: "+attributes {
		t.Errorf("the voter's cookie is %s", got)
	}
	if got := flags(w.get("/new", "Host", "vote.example")); got != "__Host-oponn_owner: "+attributes {
		t.Errorf("the owner's cookie is %s", got)
	}
	w = start(t, tuning{})
	b = w.ballot(teaOrCoffee())
	if got := flags(w.get("/ballots/" + b.ID)); got != "oponn_voter: Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax" {
		t.Errorf("in development the voter's cookie is %s", got)
	}
	for _, path := range []string{"/", "/ballots/" + b.ID + "/results", "/api/v1/ballots/" + b.ID, "/api/v1/ballots/" + b.ID + "/results"} {
		if got := flags(w.get(path)); got != "" {
			t.Errorf("%s gives the cookie %s", path, got)
		}
	}
	// The API knows nobody by a cookie.
	cookie := "oponn_voter=" + cookieOf(t, w.get("/ballots/"+b.ID), "oponn_voter")
	wantProblem(t, w.send(http.MethodPost, "/api/v1/ballots/"+b.ID+"/votes", choose("1"), "Cookie", cookie,
		"Idempotency-Key", oponn.NewVoteID().String()), http.StatusUnauthorized, "voter_required")
}

func TestCrossSiteWrites(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	for name, header := range map[string]http.Header{
		"cross-site":       head("Sec-Fetch-Site", "cross-site"),
		"same site":        head("Sec-Fetch-Site", "same-site"),
		"foreign origin":   head("Origin", "https://evil.example"),
		"no origin at all": head("Origin", "null"),
	} {
		for _, path := range []string{"/ballots", "/ballots/" + b.ID + "/votes", "/api/v1/ballots", "/api/v1/voters", "/api/v1/ballots/" + b.ID + "/votes"} {
			r := w.do(request{method: http.MethodPost, path: path, header: header})
			if r.want(t, http.StatusForbidden); !strings.Contains(r.body, "cross_site") {
				t.Errorf("%s to %s: %s", name, path, r.body)
			}
		}
		if r := w.do(request{method: http.MethodGet, path: "/api/v1/ballots/" + b.ID, header: header}); r.status != http.StatusOK {
			t.Errorf("%s reads: %d", name, r.status)
		}
	}
	w.send(http.MethodPost, "/api/v1/ballots", teaOrCoffee(), "Sec-Fetch-Site", "same-origin", "Origin", w.url).want(t, http.StatusCreated)
	// A method in disguise is none.
	if r := w.do(request{method: http.MethodPost, path: "/api/v1/ballots/" + b.ID + "?_method=PATCH", header: head("X-HTTP-Method-Override", "PATCH")}); r.status != http.StatusMethodNotAllowed {
		t.Errorf("method override: %d", r.status)
	}
}

func TestHosts(t *testing.T) {
	w := production(t)
	for host, status := range map[string]int{"vote.example": 200, "VOTE.example": 200, "vote.example:443": 200, "vote.example:8080": 400, "evil.example": 400, "127.0.0.1": 400, "vote.example.evil": 400} {
		if r := w.get("/", "Host", host); r.status != status {
			t.Errorf("host %s: %d", host, r.status)
		}
	}
	w = start(t, tuning{http: func(c *oponnhttp.Config) { c.LANURL = func() string { return "http://192.168.7.7:8080" } }})
	for host, status := range map[string]int{"localhost:8080": 200, "laptop.local": 200, "[::1]:8080": 200, "10.0.0.1": 200, "a/b": 400, "a@b": 400, "a\"b": 400, "a:b": 400, "a:": 400, "::1": 400, "[::1": 400, "::1]": 400, "": 200} {
		if r := w.get("/", "Host", host); r.status != status {
			t.Errorf("in development, host %s: %d", host, r.status)
		}
	}
	b := w.ballot(teaOrCoffee())
	for host, link := range map[string]string{"localhost:8080": "http://192.168.7.7:8080/b/", "127.0.0.1:9": "http://192.168.7.7:8080/b/", "[::1]:9": "http://192.168.7.7:8080/b/", "laptop.local": "http://laptop.local/b/"} {
		r := w.get("/ballots/"+b.ID+"/results", "Host", host)
		if !strings.Contains(r.body, `value="`+link+b.ID+`"`) {
			t.Errorf("asked at %s, the page offers another link than %s", host, link)
		}
	}
	if r := w.get("/", "Host", "localhost"); !strings.Contains(r.body, "http://192.168.7.7:8080/") {
		t.Error("the front page offers no address for a phone")
	}
}

func TestClientAddresses(t *testing.T) {
	const chunk = `{"count":1000}`
	spend := func(w *world, forwarded string) int {
		return w.send(http.MethodPost, "/api/v1/voters", chunk, "X-Forwarded-For", forwarded).status
	}
	exhaust := func(w *world, forwarded string) {
		for range 11 {
			spend(w, forwarded)
		}
	}
	direct := start(t, tuning{http: func(c *oponnhttp.Config) { c.RateLimits = true }})
	exhaust(direct, "")
	if got := spend(direct, "203.0.113.9"); got != http.StatusTooManyRequests {
		t.Errorf("a header nobody vouches for made another client: %d", got)
	}
	proxied := start(t, tuning{http: func(c *oponnhttp.Config) {
		c.RateLimits, c.TrustedProxies = true, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	}})
	exhaust(proxied, "203.0.113.1, 10.1.1.1")
	exhaust(proxied, "2001:db8:1:2::1")
	for forwarded, status := range map[string]int{
		"203.0.113.1":                429, // the same client by another proxy
		"198.51.100.1, 203.0.113.1":  429, // what the client claims stands left of what the proxy saw
		"2001:db8:1:2:ffff::2":       429, // the same network
		"203.0.113.2, 10.1.1.1":      201,
		"2001:db8:1:3::1":            201,
		"203.0.113.1, junk, 9.9.9.9": 201,
	} {
		if got := spend(proxied, forwarded); got != status {
			t.Errorf("forwarded for %s: %d, want %d", forwarded, got, status)
		}
	}
}

func TestConfigRefused(t *testing.T) {
	good := oponnhttp.Config{Secrets: [][]byte{secret}}
	for name, change := range map[string]func(*oponnhttp.Config){
		"no secret":             func(c *oponnhttp.Config) { c.Secrets = nil },
		"short secret":          func(c *oponnhttp.Config) { c.Secrets = [][]byte{secret, []byte("short")} },
		"no public URL":         func(c *oponnhttp.Config) { c.Production = true },
		"public URL of a file":  func(c *oponnhttp.Config) { c.PublicURL = &url.URL{Scheme: "file", Host: "x"} },
		"public URL with path":  func(c *oponnhttp.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "x", Path: "/y"} },
		"public URL, no host":   func(c *oponnhttp.Config) { c.PublicURL = &url.URL{Scheme: "https"} },
		"public URL, password":  func(c *oponnhttp.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "x", User: url.User("u")} },
		"public URL with query": func(c *oponnhttp.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "x", RawQuery: "y"} },
	} {
		cfg := good
		change(&cfg)
		if _, err := oponnhttp.New(cfg, nil); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
