package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/storetest"
	"github.com/oponn/oponn/views/export"
)

// drawLabels draws labels that make trouble in tables.
func drawLabels(t *rapid.T) []string {
	part := rapid.SampledFrom([]string{"=", "+", "-", "@", "＝", "1", "a", `"`, ",", ";", "'", "|", "コ", " ", "HYPERLINK(\"http://x\")"})
	var labels []string
	for range rapid.IntRange(2, 5).Draw(t, "options") {
		label := strings.TrimSpace(strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "label"), ""))
		if label != "" && !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	if len(labels) < 2 {
		labels = append(labels, "yes", "no")
	}
	return labels
}

// cast makes a ballot with some votes, and returns how it stands.
func cast(t *rapid.T, store oponn.Store) oponn.Snapshot {
	subject := storetest.Create(t, store, storetest.Plan{Definition: oponn.Definition{Question: "Which?", Labels: drawLabels(t)}})
	storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, rapid.IntRange(0, 40).Draw(t, "votes"))))
	record, err := store.Load(context.Background(), subject.ID)
	if err != nil {
		t.Fatal(err)
	}
	return oponn.Snapshot{Ballot: subject.Ballot, Version: record.Head.Version, State: subject.State(t, record.Head)}
}

// table reads CSV and checks that no spreadsheet computes any of it.
func table(t *rapid.T, text string) [][]string {
	text, marked := strings.CutPrefix(text, "\ufeff")
	if !marked || !strings.HasSuffix(text, "\r\n") {
		t.Fatalf("the file is %q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.HasPrefix(cell, "＝") || strings.IndexAny(cell, "=+-@\t\r") == 0 {
				t.Fatalf("a formula: %q", cell)
			}
		}
	}
	return rows[1:]
}

func TestCSV_IsTheResultAndNoFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := storetest.NewMemory()
		s := cast(t, store)
		var results, votes, objects bytes.Buffer
		if err := export.ResultsCSV(&results, s, oponn.Onlooker{}); err != nil {
			t.Fatal(err)
		}
		labels := map[string]string{}
		for i, row := range table(t, results.String()) {
			if label := s.Ballot.Definition.Labels[i]; row[1] != label && row[1] != "'"+label {
				t.Fatalf("the label %q became %q", label, row[1])
			}
			labels[row[0]] = row[1]
		}
		e, err := oponn.NewExport(context.Background(), s, store)
		if err != nil {
			t.Fatal(err)
		}
		if err := export.VotesCSV(context.Background(), &votes, e); err != nil {
			t.Fatal(err)
		}
		counts := map[string]uint64{}
		for _, row := range table(t, votes.String()) {
			if row[2] != labels[row[1]] {
				t.Fatalf("option %s is %q here and %q there", row[1], row[2], labels[row[1]])
			}
			counts[row[1]]++
		}
		if err := export.VotesJSON(context.Background(), &objects, e); err != nil {
			t.Fatal(err)
		}
		var all struct {
			export.Results
			Cast []struct{ Choices []string }
		}
		if err := json.Unmarshal(objects.Bytes(), &all); err != nil {
			t.Fatalf("%v in %s", err, objects.String())
		}
		for i, r := range s.Results() {
			if all.Options[i].Label != r.Option.Label || counts[string(r.Option.ID)] != r.Votes {
				t.Fatalf("option %s has %d votes, %d in the file; JSON has %+v", r.Option.ID, r.Votes, counts[string(r.Option.ID)], all.Options[i])
			}
		}
		if uint64(len(all.Cast)) != s.State.Voters {
			t.Fatalf("%d votes of %d voters", len(all.Cast), s.State.Voters)
		}
	})
}
