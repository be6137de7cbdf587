package views

import (
	"slices"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/locales"
)

// Problem is what went wrong, for people.
type Problem struct {
	// Status is the HTTP status, 400 to 599.
	Status int
	Code   oponn.Code
	// RetryAfter is how long to wait before trying again; zero when trying
	// again would not help. It is shown in whole seconds, rounded up.
	RetryAfter time.Duration
	// Back is the path of the page where it can be tried again; empty for none.
	Back string
}

// ErrorPage returns the page that says what went wrong and what to do.
func ErrorPage(p Page, d Problem) View {
	return View{page: p, title: d.title(p.Locale), main: problemMain(p, d)}
}

func (d Problem) title(l *locales.Locale) string { return d.lookup(l, "title") }
func (d Problem) text(l *locales.Locale) string  { return d.lookup(l, "text") }

func (d Problem) lookup(l *locales.Locale, part string) string {
	key := "problem." + string(d.Code) + "." + part
	if !l.Has(key) {
		key = "problem.internal." + part
	}
	return l.T(key)
}

// retry says when to try again; empty when that would not help.
func (d Problem) retry(l *locales.Locale) string {
	if d.RetryAfter <= 0 {
		return ""
	}
	return l.N("problem.retry", uint64((d.RetryAfter+time.Second-1)/time.Second))
}

// calm says that waiting is all that is needed, or that nothing is.
func (d Problem) calm() bool { return slices.Contains(calmCodes, d.Code) }

var calmCodes = []oponn.Code{
	oponn.CodeAlreadyVoted, oponn.CodeVoteIDReused, oponn.CodeNotOpen, oponn.CodeClosed,
	oponn.CodeRateLimited, oponn.CodeBusy, oponn.CodeStoreUnavailable, oponn.CodeKeysUnavailable,
	oponn.CodeOutcomeUnknown, oponn.CodeDraining,
}
