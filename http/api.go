package http

import (
	"encoding/json"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// writeJSON answers with a value.
func writeJSON(c echo.Context, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return oponn.Internal(err)
	}
	return c.Blob(status, mediaJSON, body)
}

// moment writes a time in UTC, and null for none.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339Nano)
	return &s
}

// readMoment reads a time with its offset from UTC; an absent one is zero.
func readMoment(field string, value *string) (time.Time, *oponn.FieldError) {
	if value == nil {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, *value)
	if err != nil {
		return time.Time{}, &oponn.FieldError{Field: field, Code: "malformed", Message: "A time is written like 2006-01-02T15:04:05Z (RFC 3339)."}
	}
	return t, nil
}

// optionDocument is an option of a ballot.
type optionDocument struct {
	ID    oponn.OptionID `json:"id"`
	Label string         `json:"label"`
	// WriteIn is there for those that voters added.
	WriteIn bool `json:"write_in,omitempty"`
}

// ballotDocument is a ballot's definition and where it stands.
type ballotDocument struct {
	ID           string           `json:"id"`
	URL          string           `json:"url"`
	Question     string           `json:"question"`
	Options      []optionDocument `json:"options"`
	AllowWriteIn bool             `json:"allow_write_in"`
	Status       oponn.Status     `json:"status"`
	CreatedAt    *string          `json:"created_at"`
	OpensAt      *string          `json:"opens_at"`
	ClosesAt     *string          `json:"closes_at"`
	ClosedAt     *string          `json:"closed_at"`
}

func (s *Server) ballotDocument(c echo.Context, b oponn.Snapshot) ballotDocument {
	return ballotDocument{
		ID: b.Ballot.ID.String(), URL: s.base(c.Request()) + votePath(b.Ballot.ID),
		Question: b.Ballot.Definition.Question, Options: optionDocuments(b), AllowWriteIn: b.Ballot.Definition.AllowWriteIn,
		Status: b.State.Status, CreatedAt: moment(b.Ballot.CreatedAt),
		OpensAt: moment(b.State.OpensAt), ClosesAt: moment(b.State.ClosesAt), ClosedAt: moment(b.State.ClosedAt),
	}
}

func optionDocuments(b oponn.Snapshot) []optionDocument {
	results := b.Results()
	options := make([]optionDocument, len(results))
	for i, r := range results {
		options[i] = optionDocument{ID: r.Option.ID, Label: r.Option.Label, WriteIn: r.Option.WriteIn}
	}
	return options
}

// tallyDocument is a result at one version.
type tallyDocument struct {
	Ballot  string          `json:"ballot"`
	Version uint64          `json:"version"`
	Votes   uint64          `json:"votes"`
	Status  oponn.Status    `json:"status"`
	Options []countDocument `json:"options"`
}

type countDocument struct {
	ID    oponn.OptionID `json:"id"`
	Label string         `json:"label"`
	Votes uint64         `json:"votes"`
}

func newTallyDocument(b oponn.Snapshot) tallyDocument {
	results := b.Results()
	d := tallyDocument{Ballot: b.Ballot.ID.String(), Version: b.Version, Votes: b.State.Voters, Status: b.State.Status,
		Options: make([]countDocument, len(results))}
	for i, r := range results {
		d.Options[i] = countDocument{ID: r.Option.ID, Label: r.Option.Label, Votes: r.Votes}
	}
	return d
}
