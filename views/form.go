package views

import (
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/locales"
)

// fieldErrors are the errors of a form, in the words of a language.
type fieldErrors struct {
	locale *locales.Locale
	errors []oponn.FieldError
	// bounds are how many options are to be chosen, where that is more than one.
	bounds oponn.Bounds
}

// units is how much a field lets somebody type: browsers count UTF-16 units, of
// which a code point takes up to two, and cut off the rest without a word. What
// is too long for us we say ourselves.
func units(codePoints int) string { return strconv.Itoa(2 * codePoints) }

// of returns what is wrong with a field, one sentence; empty if nothing is. A
// field may have several names.
func (f fieldErrors) of(fields ...string) string {
	for _, e := range f.errors {
		if slices.Contains(fields, e.Field) {
			return f.text(e)
		}
	}
	return ""
}

// text returns the sentence in the page's language; of an error that has none,
// which no form of ours brings about, that something is wrong here.
func (f fieldErrors) text(e oponn.FieldError) string {
	field, _, _ := strings.Cut(e.Field, "[")
	if field == "choices" {
		field = "choice"
	}
	switch {
	case f.bounds.Max <= 1 || field != "choice":
	case e.Code == "too_few" || e.Code == "required":
		return f.locale.N("error.choice.at_least", uint64(max(f.bounds.Min, 1)))
	case e.Code == "too_many":
		return f.locale.N("error.choice.at_most", uint64(f.bounds.Max))
	}
	for _, key := range []string{"error." + field + "." + e.Code, "error.any." + e.Code} {
		if f.locale.Has(key) {
			return f.locale.T(key)
		}
	}
	return f.locale.T("error.any.other")
}

// anchor returns the id of the control that an error is about.
func anchor(e oponn.FieldError) string {
	field, index, found := strings.Cut(e.Field, "[")
	switch {
	case found:
		i, _ := strconv.Atoi(strings.TrimSuffix(index, "]"))
		return optionID(i)
	case field == "options":
		return optionID(0)
	case field == "choices":
		return "choice"
	}
	return field
}

// optionID is the id of the input of the i-th option, from 0.
func optionID(i int) string { return "option-" + strconv.Itoa(i+1) }

// optionField is the name of the i-th option in errors, from 0.
func optionField(i int) string { return "options[" + strconv.Itoa(i) + "]" }

// described are the attributes that tie a control to its hint and to the
// sentence about what is wrong with it, each if there is one.
func described(id, err string, hint bool) templ.Attributes {
	var ids []string
	if hint {
		ids = append(ids, id+"-hint")
	}
	attributes := templ.Attributes{}
	if err != "" {
		ids = append(ids, id+"-error")
	}
	if len(ids) > 0 {
		attributes["aria-describedby"] = strings.Join(ids, " ")
	}
	return attributes
}

// wrong are the attributes of described, and that the control is wrong if it
// is.
func wrong(id, err string, hint bool) templ.Attributes {
	attributes := described(id, err, hint)
	if err != "" {
		attributes["aria-invalid"] = "true"
	}
	return attributes
}
