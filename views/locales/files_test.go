package locales_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"github.com/oponn/oponn/views/locales"
)

// entry is a text of a file by its plural forms; one that depends on no number
// has only other.
type entry map[string]string

func (e *entry) UnmarshalJSON(b []byte) error {
	var plain string
	if json.Unmarshal(b, &plain) == nil {
		*e = entry{"other": plain}
		return nil
	}
	return json.Unmarshal(b, (*map[string]string)(e))
}

// translations are the entries of every file but the English one, by language.
func translations(t *testing.T) map[string]map[string]entry {
	t.Helper()
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(locales.All()); n != len(files) {
		t.Errorf("got %d locales of %d files", n, len(files))
	}
	all := map[string]map[string]entry{}
	for _, file := range files {
		if file != "en.json" {
			all[strings.TrimSuffix(file, ".json")] = entries(t, file)
		}
	}
	return all
}

func entries(t *testing.T, file string) map[string]entry {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]entry
	if err := json.Unmarshal(b, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// Every language has exactly the keys of English, and where English counts, it
// counts.
func TestFiles(t *testing.T) {
	english := entries(t, "en.json")
	for lang, texts := range translations(t) {
		for key, e := range english {
			if texts[key] == nil {
				t.Errorf("%s lacks %s", lang, key)
			} else if counts(english, key) {
				checkForms(t, lang, key, texts[key])
			} else if len(texts[key]) > 1 {
				t.Errorf("%s has plural forms of %s, which has no number", lang, key)
			}
			checkPlaceholders(t, lang, key, e, texts[key])
		}
		for key := range texts {
			if english[key] == nil {
				t.Errorf("%s has %s, which English has not", lang, key)
			}
		}
	}
	for key, e := range english {
		if counts(english, key) {
			checkForms(t, "en", key, e)
		}
	}
}

// counts says whether a text depends on a number: English has two forms of it.
func counts(english map[string]entry, key string) bool { return len(english[key]) > 1 }

// checkForms finds plural forms that the language doesn't have, and lacks those
// that it has.
func checkForms(t *testing.T, lang, key string, e entry) {
	t.Helper()
	if got, want := slices.Sorted(maps.Keys(e)), pluralForms(lang); !slices.Equal(got, want) {
		t.Errorf("%s: %s has the forms %v, the language has %v", lang, key, got, want)
	}
}

// pluralForms are those that whole numbers take in a language.
func pluralForms(lang string) []string {
	names := map[plural.Form]string{plural.Other: "other", plural.Zero: "zero", plural.One: "one",
		plural.Two: "two", plural.Few: "few", plural.Many: "many"}
	forms := map[string]bool{}
	for n := range 1000 {
		forms[names[plural.Cardinal.MatchPlural(language.MustParse(lang), n, 0, 0, 0, 0)]] = true
	}
	return slices.Sorted(maps.Keys(forms))
}

// checkPlaceholders wants every form to have the places of English. Only the
// forms for nothing, one and two may do without the number.
func checkPlaceholders(t *testing.T, lang, key string, english, e entry) {
	t.Helper()
	want := placeholders(english["other"])
	for form, text := range e {
		got := placeholders(text)
		if slices.Contains([]string{"zero", "one", "two"}, form) && !slices.Contains(got, "{0}") {
			got = append([]string{"{0}"}, got...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %s (%s) has the places %v, English has %v", lang, key, form, got, want)
		}
	}
}

func placeholders(text string) []string {
	found := regexp.MustCompile(`\{\d+\}`).FindAllString(text, -1)
	slices.Sort(found)
	return found
}

// alike are texts that are the same in a language as in English.
var alike = map[string][]string{
	"":   {"site.title"},
	"de": {"path.codes", "live.live", "live.offline", "codes.title"},
	"fr": {"path.codes", "new.question", "new.options", "new.option", "status.votes", "manage.codes", "codes.made", "manage.export"},
	"es": {"problem.status"},
}

// A text that is the English one was forgotten.
func TestFiles_Translated(t *testing.T) {
	english := entries(t, "en.json")
	for lang, texts := range translations(t) {
		for key, e := range texts {
			if maps.Equal(e, english[key]) && !slices.Contains(alike[""], key) && !slices.Contains(alike[lang], key) {
				t.Errorf("%s: %s is not translated: %q", lang, key, e["other"])
			}
		}
	}
}

// What is written in Latin letters in a language that has others: names.
var latin = regexp.MustCompile(`^([Oo]ponn|UTC|QR|CSV|Cookie|ID|IP|API|HTML)$`)

func TestFiles_Script(t *testing.T) {
	word := regexp.MustCompile(`[A-Za-z]+`)
	for _, lang := range []string{"ja", "ar"} {
		for key, e := range entries(t, lang+".json") {
			for _, text := range e {
				for _, found := range word.FindAllString(text, -1) {
					if !latin.MatchString(found) {
						t.Errorf("%s: %s says %q", lang, key, found)
					}
				}
			}
		}
	}
}
