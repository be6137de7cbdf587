package views

import (
	"strconv"

	"github.com/oponn/oponn"
)

// Notice is something that the result page says to the one who just sent a
// vote.
type Notice string

// The notices; the empty one says nothing.
const (
	// NoticeFirstStands: they chose another option with the same vote id (the
	// Back button without a script); the first vote stands.
	NoticeFirstStands Notice = "first_vote_stands"
	// NoticeAlreadyVoted: they voted again with a vote id of its own; the
	// first vote stands.
	NoticeAlreadyVoted Notice = "already_voted"
	// NoticeLastStands: they have changed their vote as often as one may.
	NoticeLastStands Notice = "last_vote_stands"
	// NoticeTooLate: the ballot closed before they changed their vote.
	NoticeTooLate Notice = "too_late"
)

// refreshSeconds is how often a browser without scripts loads the page of a
// result that moves, or of a ballot that is yet to open. That a closed ballot is opened again is rare: the page has
// a link to look.
const refreshSeconds = 15

// Results is the data of the result page.
type Results struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	Result   Result
	// Version is the head's version that Result shows. The stream is asked for
	// what comes after it.
	Version uint64
	// ByCodes says that codes vote here.
	ByCodes bool
	// Owner says that the visitor is the ballot's owner.
	Owner bool
	// ManageURL is the link with the owner key in it, for whoever has just made
	// the ballot; empty for all others.
	ManageURL string
	// Receipt is this voter's; nil for one who has not voted.
	Receipt *oponn.Receipt
	// Changeable says that votes can be changed while the ballot is open.
	Changeable bool
	Notice     Notice
	Kept       Retention
	// ShareURL is the absolute address of the vote page, for the link and the
	// QR code.
	ShareURL string
	// JoinCode is the ballot's; empty for none.
	JoinCode oponn.JoinCode
	// Pace is the chart of a closed ballot; nil for none.
	Pace *Picture
	// Created says that the visitor has just made the ballot: what they want
	// first is its link.
	Created bool
}

// ResultsPage returns the result page.
func ResultsPage(p Page, d Results) View {
	v := View{page: p, title: p.t("result.title", d.Question), main: resultsMain(p, d), preview: previewOf(d.Question, d.ShareURL)}
	if d.Result.Status != oponn.Closed {
		v.refresh = refreshSeconds
	}
	return v
}

// liveURL is the address of the page's stream.
func (d Results) liveURL() string {
	return "/ballots/" + d.ID + "/live?until=gone&after=" + strconv.FormatUint(d.Version, 10)
}

// short returns the beginning and the end of a long name.
func short(s string) string {
	if len(s) <= 9 {
		return s
	}
	return s[:4] + "…" + s[len(s)-2:]
}
