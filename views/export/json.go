package export

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"github.com/oponn/oponn"
)

// Results is a result at one version, as the API has it.
type Results struct {
	Ballot  string       `json:"ballot"`
	Version uint64       `json:"version"`
	Votes   uint64       `json:"votes"`
	Status  oponn.Status `json:"status"`
	Options []Count      `json:"options"`
}

// Count is one option of Results.
type Count struct {
	ID    oponn.OptionID `json:"id"`
	Label string         `json:"label"`
	Votes uint64         `json:"votes"`
	Standing
}

// Standing is how a write-in stands that is not shown.
type Standing struct {
	Hidden  bool `json:"hidden,omitempty"`
	Pending bool `json:"pending,omitempty"`
}

// NewStanding returns how an option stands.
func NewStanding(s oponn.Standing) Standing {
	return Standing{Hidden: s == oponn.Hidden, Pending: s == oponn.Pending}
}

// NewResults returns what an onlooker may see of a result, who must be allowed
// to see counts.
func NewResults(b oponn.Snapshot, o oponn.Onlooker) Results {
	all := b.For(o)
	r := Results{Ballot: b.Ballot.ID.String(), Version: b.Version, Votes: b.State.Voters, Status: b.State.Status, Options: make([]Count, len(all))}
	for i, option := range all {
		r.Options[i] = Count{ID: option.Option.ID, Label: option.Option.Label, Votes: option.Votes, Standing: NewStanding(option.Standing)}
	}
	return r
}

// ResultsJSON writes what an onlooker may see of a result, who must be allowed
// to see counts.
func ResultsJSON(w io.Writer, s oponn.Snapshot, o oponn.Onlooker) error {
	return json.NewEncoder(w).Encode(NewResults(s, o))
}

// vote is a vote in JSON.
type vote struct {
	Choices []oponn.OptionID `json:"choices"`
	From    string           `json:"from,omitempty"`
	Until   string           `json:"until,omitempty"`
}

// VotesJSON writes the result as its owner sees it, and with it, in the field
// "cast", all votes.
func VotesJSON(ctx context.Context, w io.Writer, e *oponn.Export) error {
	head, err := json.Marshal(NewResults(e.Snapshot, oponn.Onlooker{Owner: true}))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	_, _ = out.Write(head[:len(head)-1]) // the object goes on
	_, _ = out.WriteString(`,"cast":[`)
	between := "\n"
	err = e.Each(ctx, func(v oponn.AnonymousVote) error {
		line, err := json.Marshal(vote{Choices: v.Choices, From: moment(v.From), Until: moment(v.Until)})
		if err != nil {
			return err
		}
		_, _ = out.WriteString(between)
		between = ",\n"
		_, err = out.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	_, _ = out.WriteString("\n]}\n")
	return out.Flush()
}
