package http

import (
	"net/url"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// readEdit reads the form that changes question and options.
func readEdit(form url.Values) *views.NewBallot {
	filled := readNewBallot(form)
	if filled.Options == nil {
		filled.Options = []string{} // none at all is not the same as those there are
	}
	return &filled
}

// retention returns how long a ballot is kept, as far as an onlooker may know.
func retention(b oponn.Snapshot, o oponn.Onlooker) views.Retention {
	return views.Retention{Until: b.KeptUntil(o), Moves: b.State.Status != oponn.Closed && b.State.ClosesAt.IsZero(),
		Days: int(b.Ballot.Definition.Retention() / (24 * time.Hour))}
}
