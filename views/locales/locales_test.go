package locales_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/oponn/oponn/views/locales"
)

func TestMatch(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "en-GB,en;q=0.9": "en", "xx": "en", "not a header;;;": "en", "tlh, en;q=0.1": "en",
	} {
		if got := locales.Match(header).Lang(); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
	if got := locales.For(language.AmericanEnglish); got.Lang() != "en" || got.Dir() != "ltr" {
		t.Errorf("got %s, %s", got.Lang(), got.Dir())
	}
}

func TestLocale(t *testing.T) {
	en := locales.Match("en")
	for got, want := range map[string]string{
		en.N("status.votes", 1):       "1 vote",
		en.N("status.votes", 0):       "0 votes",
		en.N("status.votes", 1234567): "1,234,567 votes",
		en.N("status.votes", 1<<63):   "9,223,372,036,854,775,808 votes",
		en.T("site.title", "{1} {0}"): "{1} {0} · oponn",
		en.T("status.closes_in"):      "closes in {0}",
		en.T("no.such.key"):           "no.such.key",
		en.Percent(0.4168):            "41.7%",
		en.Percent(1):                 "100.0%",
		en.Number(2885):               "2,885",
		en.Time(time.Date(2026, 5, 1, 13, 4, 0, 0, time.FixedZone("", 3600))): "2026-05-01 12:04 UTC",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLocale_Concurrent(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range uint64(200) {
				en := locales.Match("en")
				_, _ = en.N("status.votes", n), en.Percent(float64(n)/200)
			}
		})
	}
	wg.Wait()
}

// Every key that a page asks for by name has a text, and no text lies about
// unused.
func TestKeys(t *testing.T) {
	texts := keys(t, "en.json")
	used := map[string]bool{}
	call := regexp.MustCompile(`(?:\.[tTN]|navLink)\((?:v, "[^"]*", )?"([^"]+)"( \+)?`)
	var prefixes []string
	for _, pattern := range []string{"../*.templ", "../*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "_templ.go") {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllStringSubmatch(string(b), -1) {
				if m[2] != "" {
					prefixes = append(prefixes, m[1])
					continue
				}
				used[m[1]] = true
				if !texts[m[1]] {
					t.Errorf("%s asks for %s, which has no text", file, m[1])
				}
			}
		}
	}
	// These are put together of a code.
	prefixes = append(prefixes, "problem.", "error.")
	for key := range texts {
		if !used[key] && !hasPrefix(key, prefixes) {
			t.Errorf("nothing asks for %s", key)
		}
	}
}

// Every language has exactly the keys of English.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	english := keys(t, "en.json")
	for _, file := range files {
		texts := keys(t, file)
		for key := range english {
			if !texts[key] {
				t.Errorf("%s lacks %s", file, key)
			}
		}
		for key := range texts {
			if !english[key] {
				t.Errorf("%s has %s, which English has not", file, key)
			}
		}
	}
	if n := len(locales.All()); n != len(files) {
		t.Errorf("got %d locales of %d files", n, len(files))
	}
}

func keys(t *testing.T, file string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]json.RawMessage
	if err := json.Unmarshal(b, &texts); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool, len(texts))
	for key := range texts {
		found[key] = true
	}
	return found
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
