package ops_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oponn/oponn/http/ops"
)

func TestServer_Log(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	s := ops.New(ops.Config{Level: level, Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))})
	for _, tt := range []struct {
		method, target, body, site string
		status                     int
		level                      slog.Level // afterwards
	}{
		{http.MethodGet, "/log", "", "", 200, slog.LevelInfo},
		{http.MethodPost, "/log?level=debug", "", "", 200, slog.LevelDebug},
		{http.MethodPut, "/log?level=WARN", "", "", 200, slog.LevelWarn},
		{http.MethodPost, "/log", "level=error", "same-origin", 200, slog.LevelError},
		{http.MethodPost, "/log?level=loud", "", "", 422, slog.LevelError},
		{http.MethodPost, "/log", "", "", 422, slog.LevelError},
		{http.MethodPost, "/log?level=debug", "", "cross-site", 403, slog.LevelError},
		{http.MethodGet, "/log?level=debug", "", "", 200, slog.LevelError},
	} {
		r := httptest.NewRequest(tt.method, "http://localhost"+tt.target, strings.NewReader(tt.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if tt.site != "" {
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tt.status || level.Level() != tt.level {
			t.Errorf("%s %s %s: %d and the level %v, want %d and %v", tt.method, tt.target, tt.body, w.Code, level.Level(), tt.status, tt.level)
		}
		if w.Code == 200 && w.Body.String() != tt.level.String()+"\n" {
			t.Errorf("%s %s: %q", tt.method, tt.target, w.Body)
		}
	}
	if n := strings.Count(out.String(), "log level changed"); n != 3 {
		t.Errorf("%d changes are in the log, want 3:\n%s", n, &out)
	}
}
