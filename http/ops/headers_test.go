package ops_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oponn/oponn/http/ops"
)

// TestServer_Headers asks for everything there is, and for what isn't, in every
// way. All answers are protected, whoever writes them.
func TestServer_Headers(t *testing.T) {
	s := ops.New(ops.Config{})
	for _, path := range []string{"/", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/goroutine", "/debug/pprof/cmdline", "/nothing", "//evil.example", "/debug/pprof/..%2f.."} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace} {
			for _, host := range []string{"localhost", "evil.example"} {
				r := httptest.NewRequest(method, "http://"+host+"/", nil)
				r.URL.Path, r.Header = path, http.Header{"X-Forwarded-Host": {"evil.example"}, "X-Http-Method-Override": {"GET"}}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				wantProtected(t, method+" "+host+path, w)
			}
		}
	}
}

func wantProtected(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	h := w.Header()
	policy := h.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s answers %d with the policy %q", what, w.Code, policy)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("Cross-Origin-Opener-Policy") != "same-origin" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%s answers %d with %v", what, w.Code, h)
	}
	if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Set-Cookie") != "" {
		t.Errorf("%s lets others in: %v", what, h)
	}
	if location := h.Get("Location"); location != "" && (!strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//")) {
		t.Errorf("%s leads to %s", what, location)
	}
	if w.Code >= http.StatusInternalServerError {
		t.Errorf("%s answers %d", what, w.Code)
	}
}
