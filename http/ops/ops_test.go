package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn/http/ops"
)

func get(s http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func fine(context.Context) error { return nil }

func broken(context.Context) error { return errors.New("it is on fire") }

func TestServer_Ready(t *testing.T) {
	for name, tt := range map[string]struct {
		parts  []ops.Part
		drain  bool
		status int
		word   string
	}{
		"NoParts":          {status: http.StatusOK, word: "ready"},
		"AllFine":          {parts: []ops.Part{{Name: "store", Needed: true, Check: fine}}, status: http.StatusOK, word: "ready"},
		"NeededBroken":     {parts: []ops.Part{{Name: "store", Needed: true, Check: broken}}, status: http.StatusServiceUnavailable, word: "unready"},
		"OtherBroken":      {parts: []ops.Part{{Name: "kms", Check: broken}}, status: http.StatusOK, word: "degraded"},
		"BothBroken":       {parts: []ops.Part{{Name: "store", Needed: true, Check: broken}, {Name: "kms", Check: broken}}, status: http.StatusServiceUnavailable, word: "unready"},
		"PanickingIsAsBad": {parts: []ops.Part{{Name: "store", Needed: true, Check: func(context.Context) error { panic("oh") }}}, status: http.StatusServiceUnavailable, word: "unready"},
		"Draining":         {parts: []ops.Part{{Name: "store", Needed: true, Check: fine}}, drain: true, status: http.StatusServiceUnavailable, word: "draining"},
	} {
		t.Run(name, func(t *testing.T) {
			s := ops.New(ops.Config{Parts: tt.parts})
			if tt.drain {
				s.Drain()
			}
			w := get(s, "http://localhost/readyz")
			if word, _, _ := strings.Cut(w.Body.String(), "\n"); w.Code != tt.status || word != tt.word {
				t.Errorf("readyz: %d %q, want %d %q", w.Code, word, tt.status, tt.word)
			}
			if w := get(s, "http://localhost/healthz"); w.Code != http.StatusOK {
				t.Errorf("healthz: %d, want 200 in every case", w.Code)
			}
		})
	}
}

func TestServer_Ready_JSONNamesWhatIsWrong(t *testing.T) {
	s := ops.New(ops.Config{Parts: []ops.Part{{Name: "store", Needed: true, Check: fine}, {Name: "kms", Check: broken}}})
	w := get(s, "http://localhost/readyz", "Accept", "application/json")
	var got struct {
		Status string
		Parts  []struct {
			Name, Error string
			OK          bool
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Status != "degraded" || len(got.Parts) != 2 || !got.Parts[0].OK || got.Parts[1].OK || got.Parts[1].Error != "it is on fire" {
		t.Errorf("got %+v", got)
	}
}

func TestServer_Ready_DoesNotWaitForEver(t *testing.T) {
	s := ops.New(ops.Config{Parts: []ops.Part{{Name: "store", Needed: true, Check: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}}})
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if w := get(s, "http://localhost/readyz"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", w.Code)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestServer_Hosts(t *testing.T) {
	for name, tt := range map[string]struct {
		addr, host string
		served     bool
	}{
		"Loopback":               {"127.0.0.1:8081", "127.0.0.1:8081", true},
		"LoopbackByName":         {"127.0.0.1:8081", "localhost:8081", true},
		"LoopbackIPv6":           {"[::1]:8081", "[::1]:8081", true},
		"AnotherPort":            {"127.0.0.1:8081", "localhost:9000", true},
		"RebindingName":          {"127.0.0.1:8081", "evil.example:8081", false},
		"NameThatStartsLikeOurs": {"127.0.0.1:8081", "localhost.evil.example", false},
		"ForeignAddress":         {"127.0.0.1:8081", "192.0.2.1:8081", false},
		"ConfiguredName":         {"ops.internal:8081", "OPS.internal:8081", true},
		"ConfiguredAddress":      {"10.0.0.5:8081", "10.0.0.5:8081", true},
		"EverywhereByAddress":    {":8081", "10.0.0.5:8081", true},
		"EverywhereByZero":       {"0.0.0.0:8081", "10.0.0.5:8081", true},
		"EverywhereByName":       {":8081", "evil.example:8081", false},
		"NoHost":                 {":8081", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := ops.New(ops.Config{Addr: tt.addr})
			r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
			r.Host = tt.host
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			want := http.StatusMisdirectedRequest
			if tt.served {
				want = http.StatusOK
			}
			if w.Code != want {
				t.Errorf("status %d, want %d", w.Code, want)
			}
		})
	}
}

func TestServer_Writes(t *testing.T) {
	s := ops.New(ops.Config{})
	for name, tt := range map[string]struct {
		site   string
		status int
	}{
		"FromAnotherSite": {"cross-site", http.StatusForbidden},
		"FromATool":       {"", http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "http://localhost/readyz", nil)
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
		})
	}
}

func TestFront_ServeAndShutdown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := ops.NewFront(l.Addr().String(), nil)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
