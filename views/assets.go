package views

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed static
var static embed.FS

// AssetsPrefix is the path below which Assets serves.
const AssetsPrefix = "/assets/"

// Names of the assets, as URL takes them.
const (
	assetCSS        = "oponn.css"
	assetPresentCSS = "present.css"
	assetPresentJS  = "present.js"
	assetEmbedCSS   = "embed.css"
	assetJS         = "oponn.js"
	assetKept       = "kept.js"
	assetFavicon    = "favicon.svg"
	assetHTMX       = "htmx.js"
)

// bundle are the vendored files that are served as one, htmx and its extension
// for streams: htmx looks at the page once, soon after it has come, and passes
// over what an extension that comes later would have seen to.
var bundle = []string{"static/vendor/htmx.min.js", "static/vendor/hx-sse.min.js"}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml; charset=utf-8",
}

// Assets are the static files, under names that carry a hash of what is in
// them: they never change and may be kept for ever. It is an http.Handler for
// the paths below AssetsPrefix, and safe for concurrent use. The zero value has
// no files.
type Assets struct {
	urls  map[string]string // by name
	files map[string]asset  // by hashed name
}

type asset struct {
	contentType   string
	plain, zipped []byte
}

// NewAssets reads the embedded files. It panics if they can't be read, which
// is a fault of the build.
func NewAssets() *Assets {
	a := &Assets{urls: map[string]string{}, files: map[string]asset{}}
	err := fs.WalkDir(static, "static", func(file string, d fs.DirEntry, err error) error {
		contentType, known := contentTypes[path.Ext(file)]
		if err != nil || d.IsDir() || !known || slices.Contains(bundle, file) {
			return err
		}
		b, err := static.ReadFile(file)
		if err != nil {
			return err
		}
		a.add(path.Base(file), b, contentType)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("views: read assets: %v", err))
	}
	if b, whole := readBundle(); whole {
		a.add(assetHTMX, b, contentTypes[".js"])
	}
	return a
}

func (a *Assets) add(name string, b []byte, contentType string) {
	sum := sha256.Sum256(b)
	hashed := strings.TrimSuffix(name, path.Ext(name)) + "." + hex.EncodeToString(sum[:6]) + path.Ext(name)
	a.urls[name] = AssetsPrefix + hashed
	a.files[hashed] = asset{contentType: contentType, plain: b, zipped: zip(b)}
}

// readBundle returns the files of the bundle as one; false when the program was
// built without one of them.
func readBundle() (b []byte, whole bool) {
	for _, file := range bundle {
		part, err := static.ReadFile(file)
		if err != nil {
			return nil, false
		}
		b = append(append(b, part...), ";\n"...)
	}
	return b, true
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is right
	_, _ = w.Write(b)                                       // a Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// URL returns the path of the named file (oponn.css), and the empty string for
// a file that is not there.
func (a *Assets) URL(name string) string { return a.urls[name] }

// HasHTMX says whether htmx and its extension for streams were there when the
// program was built. Without them every page works, but nothing is live.
func (a *Assets) HasHTMX() bool { return a.URL(assetHTMX) != "" }

// ServeHTTP serves a file by its hashed name: the last element of the path.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[path.Base(r.URL.Path)]
	if !ok || r.URL.Path != AssetsPrefix+path.Base(r.URL.Path) {
		w.Header().Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body := f.plain
	if AcceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = f.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the client may have gone
	}
}

// AcceptsGzip reads an Accept-Encoding header. One that names gzip with a
// weight, whatever it is, gets the plain file: no browser does that.
func AcceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(coding) == "gzip" {
			return true
		}
	}
	return false
}
