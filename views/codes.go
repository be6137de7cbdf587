package views

import (
	"strings"

	"github.com/oponn/oponn"
)

// What is asked for with codes: the values of the field action.
const (
	ActionMakeCodes = "make_codes"
	ActionCodeSheet = "code_sheet"
	ActionCodeTable = "code_table"
)

// sheetCodes is how many codes one sheet has: twenty printed pages, and a
// document of a size that phones can bear.
const sheetCodes = 240

// ManageCodes is what the owner's page says about codes.
type ManageCodes struct {
	// Made is how many codes there are; -1 when that is not known.
	Made int
	// Used is how many have voted.
	Used uint64
	// Count is what was typed as the number of codes to make.
	Count string
}

// Codes is the data of the page that shows codes, once.
type Codes struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	// Site is the host of links, as people type it.
	Site string
	// All are the codes, at least one.
	All []oponn.VotingCode
	// Link returns a code's absolute address. It must not be nil.
	Link func(oponn.VotingCode) string
}

// CodesPage returns the page that shows codes on a sheet to print. Of more
// than fit on one it shows the first, with a form for each further one.
func CodesPage(p Page, d Codes) View {
	return View{page: p, title: p.t("codes.title", d.Question), main: codesMain(p, d)}
}

// path is where the page's forms are sent.
func (d Codes) path() string { return codesPath(d.ID) }

func codesPath(id string) string { return "/ballots/" + id + "/codes" }

func anotherCodePath(id string) string { return "/ballots/" + id + "?code=" + CodeAnother }

// codePart is a part of all codes, counted from 1.
type codePart struct {
	first, last int
	codes       []oponn.VotingCode
}

// parts are the sheets of all codes.
func (d Codes) parts() []codePart {
	var parts []codePart
	for from := 0; from < len(d.All); from += sheetCodes {
		to := min(from+sheetCodes, len(d.All))
		parts = append(parts, codePart{from + 1, to, d.All[from:to]})
	}
	return parts
}

// joined writes codes one after the other, for a field of a form.
func joined(codes []oponn.VotingCode) string {
	var b strings.Builder
	for i, code := range codes {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(code))
	}
	return b.String()
}
