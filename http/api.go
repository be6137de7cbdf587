package http

import (
	"encoding/json"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/export"
)

// writeJSON answers with a value.
func writeJSON(c echo.Context, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return oponn.Internal(err)
	}
	return c.Blob(status, mediaJSON, body)
}

// optionDocument is an option of a ballot.
type optionDocument struct {
	ID    oponn.OptionID `json:"id"`
	Label string         `json:"label"`
	// WriteIn is there for those that voters added, and one of the others when
	// it is not shown.
	WriteIn bool `json:"write_in,omitempty"`
	export.Standing
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

	Choices        oponn.Bounds `json:"choices"`
	Visibility     string       `json:"visibility"`
	Protection     string       `json:"protection"`
	WriteIns       string       `json:"write_ins"`
	AllowChange    bool         `json:"allow_change"`
	ShuffleOptions bool         `json:"shuffle_options"`
	RetentionDays  int          `json:"retention_days"`
	JoinCode       bool         `json:"join_code"`
	// Join is the six digits of an open ballot that has a join code.
	Join *string `json:"join"`
	// Revision is that of question and options, for votes that name it.
	Revision uint32 `json:"revision"`
}

func (s *Server) ballotDocument(c echo.Context, b oponn.Snapshot, o oponn.Onlooker) ballotDocument {
	d := &b.Ballot.Definition
	var join *string
	if code := string(s.joinCode(c, b)); code != "" {
		join = &code
	}
	return ballotDocument{
		JoinCode: d.JoinCode, Join: join,
		ID: b.Ballot.ID.String(), URL: s.base(c.Request()) + votePath(b.Ballot.ID),
		Question: d.Question, Options: optionDocuments(b, o), AllowWriteIn: d.AllowWriteIn,
		Status: b.State.Status, CreatedAt: moment(b.Ballot.CreatedAt),
		OpensAt: moment(b.State.OpensAt), ClosesAt: moment(b.State.ClosesAt), ClosedAt: moment(b.State.ClosedAt),
		Choices: d.Range(), Visibility: d.Visibility.String(), Protection: d.Protection.String(), WriteIns: d.WriteIns.String(),
		AllowChange: d.AllowChange, ShuffleOptions: d.ShuffleOptions, RetentionDays: int(d.Retention() / (24 * time.Hour)), Revision: d.Revision,
	}
}

func optionDocuments(b oponn.Snapshot, o oponn.Onlooker) []optionDocument {
	results := b.For(o)
	options := make([]optionDocument, len(results))
	for i, r := range results {
		options[i] = optionDocument{ID: r.Option.ID, Label: r.Option.Label, WriteIn: r.Option.WriteIn, Standing: export.NewStanding(r.Standing)}
	}
	return options
}
