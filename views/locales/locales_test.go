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
		"de-CH, en;q=0.8": "de", "pt-BR": "pt", "pt-PT,pt;q=0.9": "pt", "es-MX": "es", "ar-EG": "ar", "ja": "ja",
		"fr;q=0.3, ja;q=0.7": "ja", "nl, fr-CA;q=0.5": "fr", "en;q=0.1, ar;q=0.2": "ar",
		"": "en", "en-GB,en;q=0.9": "en", "xx": "en", "not a header;;;": "en", "tlh, en;q=0.1": "en",
	} {
		if got := locales.Match(header).Lang(); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
	for _, l := range locales.All() {
		if locales.Named(l.Lang()) != l {
			t.Errorf("%s is not found by its name", l.Lang())
		}
	}
	if locales.Named("de-CH") != nil || locales.Named("") != nil {
		t.Error("something is found by a name that nothing has")
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

// Numbers, percentages, times and plurals are each language's own.
func TestLocale_Manners(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 4, 0, 0, time.UTC)
	for lang, want := range map[string][4]string{
		"en": {"12,345", "41.7%", "2026-05-01 12:04 UTC", "2 votes"},
		"de": {"12.345", "41,7\u00a0%", "01.05.2026 12:04 UTC", "2 Stimmen"},
		"fr": {"12\u00a0345", "41,7\u00a0%", "01/05/2026 12:04 UTC", "2 votes"},
		"es": {"12.345", "41,7\u00a0%", "01/05/2026 12:04 UTC", "2 votos"},
		"pt": {"12.345", "41,7%", "01/05/2026 12:04 UTC", "2 votos"},
		"ja": {"12,345", "41.7%", "2026/05/01 12:04 UTC", "2 票"},
		"ar": {"12,345", "41.7\u200e%\u200e", "2026/05/01 12:04 UTC", "صوتان"},
	} {
		l := locales.Named(lang)
		if got := [4]string{l.Number(12345), l.Percent(0.4168), l.Time(at), l.N("status.votes", 2)}; got != want {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
	}
	if got := locales.Named("fr").N("status.votes", 0); got != "0 vote" {
		t.Errorf("in French nothing is singular, got %q", got)
	}
	ar := locales.Named("ar")
	for n, want := range map[uint64]string{0: "لا أصوات", 1: "صوت واحد", 3: "3 أصوات", 11: "11 صوتًا", 100: "100 صوت", 103: "103 أصوات"} {
		if got := ar.N("status.votes", n); got != want {
			t.Errorf("%d in Arabic: got %q, want %q", n, got, want)
		}
	}
	if got := ar.T("status.closes_at", ar.Time(at)); got != "يُغلق في \u20682026/05/01 12:04 UTC\u2069" {
		t.Errorf("a time is not kept together in Arabic: %q", got)
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
	for _, pattern := range []string{"../*.templ", "../*.go", "*.go"} {
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
