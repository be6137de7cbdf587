// Package export writes results and votes as files that people keep: CSV for
// spreadsheets, JSON for programs. Votes are written as they are read, so that
// a file of any size needs no more memory than a page of them.
package export

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/oponn/oponn"
)

// bom tells spreadsheets that a file is UTF-8: without it Excel takes it for
// the code page of its country. RFC 4180 doesn't mention it, and programs that
// read CSV know to skip it.
const bom = "\ufeff"

// table writes CSV as RFC 4180 has it, with lines that end in CRLF. Its columns
// are for people and programs alike, and don't change with the language.
type table struct {
	csv *csv.Writer
	err error
}

func newTable(w io.Writer, columns ...string) *table {
	t := &table{csv: csv.NewWriter(w)}
	t.csv.UseCRLF = true
	if _, t.err = io.WriteString(w, bom); t.err == nil {
		t.err = t.csv.Write(columns)
	}
	return t
}

func (t *table) row(cells ...string) error {
	if t.err == nil {
		t.err = t.csv.Write(cells)
	}
	return t.err
}

func (t *table) end() error {
	if t.csv.Flush(); t.err == nil {
		t.err = t.csv.Error()
	}
	return t.err
}

// formulaic are the characters with which a cell begins that a spreadsheet may
// take for a formula, the full-width ones with them.
const formulaic = "=+-@\t\r\n＝＋－＠"

// plain returns a text of somebody's that no spreadsheet computes: one that
// looks like a formula gets an apostrophe in front (OWASP, CSV injection).
// JSON has it as it is.
func plain(text string) string {
	if text != "" && strings.ContainsAny(formulaic, string([]rune(text)[:1])) {
		return "'" + text
	}
	return text
}

// ResultsCSV writes what an onlooker may see of a result, who must be allowed
// to see counts: a line for each option. Percentages are of voters.
func ResultsCSV(w io.Writer, s oponn.Snapshot, o oponn.Onlooker) error {
	t := newTable(w, "option", "label", "votes", "percent", "written_in", "standing")
	for _, r := range s.For(o) {
		standing := string(r.Standing)
		if r.Standing == oponn.Shown {
			standing = "shown"
		}
		_ = t.row(string(r.Option.ID), plain(r.Option.Label), strconv.FormatUint(r.Votes, 10), percent(r.Votes, s.State.Voters),
			strconv.FormatBool(r.Option.WriteIn), standing)
	}
	return t.end()
}

// percent writes a share with two decimals; nothing of nobody is nothing.
func percent(votes, voters uint64) string {
	if voters == 0 {
		return "0.00"
	}
	return strconv.FormatFloat(100*float64(votes)/float64(voters), 'f', 2, 64)
}

// VotesCSV writes all votes: a line for each option that was chosen, so that a
// vote for several has several lines of one number. The number means nothing
// else.
func VotesCSV(ctx context.Context, w io.Writer, e *oponn.Export) error {
	t := newTable(w, "vote", "option", "label", "from", "until")
	labels := make(map[oponn.OptionID]string)
	for _, r := range e.Snapshot.Results() {
		labels[r.Option.ID] = plain(r.Option.Label)
	}
	n := uint64(0)
	err := e.Each(ctx, func(v oponn.AnonymousVote) error {
		n++
		number, from, until := strconv.FormatUint(n, 10), moment(v.From), moment(v.Until)
		for _, id := range v.Choices {
			if err := t.row(number, string(id), labels[id], from, until); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.end()
}

// moment writes a time in UTC; nothing for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
