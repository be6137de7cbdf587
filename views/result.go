package views

import (
	"strconv"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/locales"
)

// Result is a ballot's result at one version: the same for everybody who may
// see it.
type Result struct {
	Status oponn.Status
	// Hidden says to whom the counts are shown, when this is for somebody else;
	// then there are neither votes nor options.
	Hidden oponn.Visibility
	// Votes counts voters; percentages are of it.
	Votes uint64
	// Every is the time between two states on the stream, where it is so long
	// that viewers should know; else zero, and for those from whom counts are
	// hidden: it would tell them that many vote.
	Every time.Duration
	// Options are in the order of the ballot, write-ins last, with their
	// counts. They keep that order whoever leads.
	Options []oponn.Result
	// OpensAt is when a scheduled ballot opens.
	OpensAt time.Time
	// ClosesAt is when an open ballot closes; zero is never.
	ClosesAt time.Time
	// ClosedAt is when a closed ballot was closed.
	ClosedAt time.Time
}

// row is one option of a result as it is drawn.
type row struct {
	id, label, percent, votes string
	// spoken is votes for those who hear it: with the word.
	spoken string
	// rest is the part of the bar that is not filled, as an SVG length.
	rest string
	// mark says in a word how the option stands; empty for most.
	mark    string
	first   bool
	writeIn bool
}

// label returns what an option is called: of one that the owner has hidden, that.
func label(l *locales.Locale, o oponn.Result) string {
	switch {
	case o.Standing == oponn.Hidden && o.Option.Label == "":
		return l.T("result.hidden_option")
	case o.Standing == oponn.Hidden:
		return o.Option.Label + " " + l.T("result.hidden_mark")
	case o.Standing == oponn.Pending:
		return o.Option.Label + " " + l.T("result.pending_mark")
	default:
		return o.Option.Label
	}
}

// rows lays a result out. Options with the most votes are marked, in words and
// not by colour alone.
func (d Result) rows(l *locales.Locale) []row {
	var most, firsts uint64
	for _, o := range d.Options {
		switch {
		case o.Votes > most:
			most, firsts = o.Votes, 1
		case o.Votes == most:
			firsts++
		}
	}
	rows := make([]row, len(d.Options))
	for i, o := range d.Options {
		var share float64
		if d.Votes > 0 {
			share = float64(o.Votes) / float64(d.Votes)
		}
		first := most > 0 && o.Votes == most
		rows[i] = row{
			id: "o-" + string(o.Option.ID), label: label(l, o), writeIn: o.Option.WriteIn,
			percent: l.Percent(share), votes: l.Number(o.Votes), spoken: l.N("status.votes", o.Votes),
			rest: strconv.FormatFloat(100-min(100, 100*share), 'f', 1, 64) + "%", first: first,
		}
		switch {
		case !first:
		case firsts > 1:
			rows[i].mark = l.T("result.tied")
		case d.Status == oponn.Closed:
			rows[i].mark = l.T("result.wins")
		default:
			rows[i].mark = l.T("result.leads")
		}
	}
	return rows
}
