// Package locales holds the texts of the pages, one JSON file a language, and
// writes numbers, percentages and times the way each language does.
//
// A file maps flat keys to texts. A text may hold {0}, {1}, … for its
// arguments, in the order that suits the language. A text that depends on a
// number is an object instead, with one text per plural form of the language
// (zero, one, two, few, many, other; other is always there), and {0} is the
// number. To add a language, add its file: nothing else names it. What the
// file needs besides the texts is said in docs/languages.md.
package locales

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed *.json
var files embed.FS

// Locale is one language's texts and manners. It is safe for concurrent use.
type Locale struct {
	tag     language.Tag
	texts   map[string]text
	printer *message.Printer
	rtl     bool
}

// text is one entry of a file: the plural forms of a counted text, or only
// other.
type text map[plural.Form]string

// UnmarshalJSON reads a string or an object of plural forms.
func (t *text) UnmarshalJSON(b []byte) error {
	var plain string
	if json.Unmarshal(b, &plain) == nil {
		*t = text{plural.Other: plain}
		return nil
	}
	var forms map[string]string
	if err := json.Unmarshal(b, &forms); err != nil {
		return err
	}
	*t = make(text, len(forms))
	for name, s := range forms {
		form := slices.Index(formNames, name)
		if form < 0 {
			return fmt.Errorf("there is no plural form %q", name)
		}
		(*t)[plural.Form(form)] = s
	}
	if _, ok := (*t)[plural.Other]; !ok {
		return fmt.Errorf("the plural form other is missing")
	}
	return nil
}

// formNames are indexed by plural.Form.
var formNames = []string{plural.Other: "other", plural.Zero: "zero", plural.One: "one",
	plural.Two: "two", plural.Few: "few", plural.Many: "many"}

// all are the locales, English first: it is the one for everybody else.
var (
	all     = load()
	matcher = newMatcher(all)
)

func load() []*Locale {
	names, err := files.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("locales: %v", err)) // embedded: a fault of the build
	}
	var locales []*Locale
	for _, f := range names {
		l, err := read(f.Name())
		if err != nil {
			panic(fmt.Sprintf("locales: %s: %v", f.Name(), err))
		}
		if l.tag == language.English {
			locales = slices.Insert(locales, 0, l)
		} else {
			locales = append(locales, l)
		}
	}
	return locales
}

func read(file string) (*Locale, error) {
	b, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	tag, err := language.Parse(strings.TrimSuffix(path.Base(file), ".json"))
	if err != nil {
		return nil, err
	}
	return Parse(tag, b)
}

// Parse returns the locale of a language by the content of its file.
func Parse(tag language.Tag, file []byte) (*Locale, error) {
	l := &Locale{tag: tag}
	if err := json.Unmarshal(file, &l.texts); err != nil {
		return nil, err
	}
	switch script, _ := tag.Script(); script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo":
		l.rtl = true
	}
	// The digits of links, codes and browsers' own clocks, in Arabic too: so
	// CLDR has it since release 42, and x/text carries an older one.
	digits, err := tag.SetTypeForKey("nu", "latn")
	if err != nil {
		return nil, err
	}
	l.printer = message.NewPrinter(digits)
	return l, nil
}

func newMatcher(locales []*Locale) language.Matcher {
	tags := make([]language.Tag, len(locales))
	for i, l := range locales {
		tags[i] = l.tag
	}
	return language.NewMatcher(tags)
}

// All returns every locale, English first. Don't change the slice.
func All() []*Locale { return all }

// For returns the locale closest to the language, English when none is close.
func For(tag language.Tag) *Locale {
	_, i, _ := matcher.Match(tag)
	return all[i]
}

// Named returns the locale whose Lang is the name; nil for none.
func Named(name string) *Locale {
	for _, l := range all {
		if l.Lang() == name {
			return l
		}
	}
	return nil
}

// Match returns the locale that suits the value of an Accept-Language header
// best; English when nothing does, or when the value can't be read.
func Match(acceptLanguage string) *Locale {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return all[0]
	}
	_, i, _ := matcher.Match(tags...)
	return all[i]
}

// Lang returns the language as HTML's lang attribute names it.
func (l *Locale) Lang() string { return l.tag.String() }

// Dir returns the direction of writing as HTML's dir attribute names it: ltr
// or rtl.
func (l *Locale) Dir() string {
	if l.rtl {
		return "rtl"
	}
	return "ltr"
}

// Name returns what the language calls itself.
func (l *Locale) Name() string { return l.T("language.name") }

// Has says whether there is a text for the key.
func (l *Locale) Has(key string) bool {
	_, ok := l.texts[key]
	return ok
}

// T returns the text of the key with the arguments in their places. A key
// without a text gives English, then the key itself: a test keeps that from
// being seen.
func (l *Locale) T(key string, args ...string) string {
	return fill(l.lookup(key)[plural.Other], l.isolated(args))
}

// isolated returns the arguments so that one written from left to right, as a
// link or a time, keeps its order within a text from right to left.
func (l *Locale) isolated(args []string) []string {
	if !l.rtl {
		return args
	}
	const firstStrong, pop = "\u2068", "\u2069"
	set := make([]string, len(args))
	for i, arg := range args {
		set[i] = firstStrong + arg + pop
	}
	return set
}

// N returns the text of the key in the plural form for n, with n, written out
// as the language does, in the place of {0}, and the arguments from {1} on.
func (l *Locale) N(key string, n uint64, args ...string) string {
	forms := l.lookup(key)
	// The rules look at the last digits only; MatchPlural wants an int.
	form := plural.Cardinal.MatchPlural(l.tag, int(n%1_000_000_000), 0, 0, 0, 0)
	s, ok := forms[form]
	if !ok {
		s = forms[plural.Other]
	}
	return fill(s, append([]string{l.Number(n)}, l.isolated(args)...))
}

func (l *Locale) lookup(key string) text {
	if t, ok := l.texts[key]; ok {
		return t
	}
	if t, ok := all[0].texts[key]; ok {
		return t
	}
	return text{plural.Other: key}
}

// fill puts arguments in the places of {0}, {1}, …
func fill(s string, args []string) string {
	if len(args) == 0 {
		return s
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", arg)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// Number returns n with the language's separators: 12,345.
func (l *Locale) Number(n uint64) string {
	return l.printer.Sprint(number.Decimal(n))
}

// Percent returns a share from 0 to 1 with one decimal: 41.7%.
func (l *Locale) Percent(share float64) string {
	return l.printer.Sprint(number.Percent(share, number.Scale(1)))
}

// Time returns a moment to the minute, in UTC; the page's script makes local
// time of it. The file says how the language writes a date.
func (l *Locale) Time(t time.Time) string {
	return t.UTC().Format(l.T("time.date")+" 15:04") + " UTC"
}

// Clock writes a moment to the second, in UTC.
func (l *Locale) Clock(t time.Time) string {
	return t.UTC().Format(l.T("time.date")+" 15:04:05") + " UTC"
}
