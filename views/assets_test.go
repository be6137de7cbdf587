package views_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/oponn/oponn/views"
)

func get(t *testing.T, method, path, encoding string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	assets.ServeHTTP(w, r)
	return w
}

func TestAssets(t *testing.T) {
	css := assets.URL("oponn.css")
	t.Run("have a hash in their names", func(t *testing.T) {
		for _, name := range []string{"oponn.css", "oponn.js", "favicon.svg"} {
			base, ext, _ := strings.Cut(name, ".")
			want := regexp.MustCompile(`^/assets/` + base + `\.[0-9a-f]{12}\.` + ext + `$`)
			if url := assets.URL(name); !want.MatchString(url) {
				t.Errorf("%s is at %q", name, url)
			}
		}
		if url := assets.URL("none.css"); url != "" {
			t.Errorf("a file that is not there is at %q", url)
		}
	})
	t.Run("may be kept for ever", func(t *testing.T) {
		w := get(t, http.MethodGet, css, "")
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" ||
			w.Header().Get("Content-Type") != "text/css; charset=utf-8" || w.Body.Len() == 0 {
			t.Errorf("got %d %v", w.Code, w.Header())
		}
	})
	t.Run("travel compressed", func(t *testing.T) {
		w := get(t, http.MethodGet, css, "br, gzip")
		if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Fatalf("got %v", w.Header())
		}
		r, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, get(t, http.MethodGet, css, "").Body.Bytes()) {
			t.Error("it is not the same file")
		}
	})
	t.Run("answer HEAD without a body", func(t *testing.T) {
		if w := get(t, http.MethodHead, css, ""); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
			t.Errorf("got %d with %d bytes", w.Code, w.Body.Len())
		}
	})
	t.Run("refuse the rest", func(t *testing.T) {
		for path, want := range map[string]int{
			"/assets/oponn.css": 404, "/assets/": 404, "/assets/x/" + css[len(views.AssetsPrefix):]: 404, "/assets/../go.mod": 404,
		} {
			if w := get(t, http.MethodGet, path, ""); w.Code != want || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("%s: got %d %v", path, w.Code, w.Header())
			}
		}
		if w := get(t, http.MethodPost, css, ""); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST: got %d", w.Code)
		}
	})
}
