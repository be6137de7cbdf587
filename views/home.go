package views

import (
	"time"

	"github.com/a-h/templ"

	"github.com/oponn/oponn"
)

// Home is the data of the front page.
type Home struct {
	// Typed is a join code that was typed, and Errors what is wrong with it, on
	// the field join.
	Typed string
	// Elsewhere says that the list of ballots is on another page.
	Elsewhere bool
	Errors    []oponn.FieldError
	// Ballots are those that this browser made, the newest first.
	Ballots []Summary
	// Newer and Older say that there are more before and behind these.
	Newer, Older bool
	// Path is the page's own, with the part of the list that it shows.
	Path string
	// JoinURL is this server's address for other machines of the same network,
	// shown with a QR code; empty where there is none to show.
	JoinURL string
}

// Summary is one ballot in a list.
type Summary struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	Status   oponn.Status
	// Votes counts voters.
	Votes uint64
	// OpensAt and ClosesAt are the plan; zero for none.
	OpensAt, ClosesAt time.Time
}

// polling has a list with ballots look again now and then. Without a script the
// page loads itself anew.
func (d Home) polling(p Page) templ.Attributes {
	if len(d.Ballots) == 0 || !p.Assets.HasHTMX() {
		return nil
	}
	return templ.Attributes{"hx-get": d.Path, "hx-trigger": "every 10s, look", "hx-select": ".mine", "hx-swap": "outerMorph"}
}

// HomePage returns the front page.
func HomePage(p Page, d Home) View {
	v := View{page: p, title: p.t("home.title"), current: "/", main: homeMain(p, d)}
	if len(d.Ballots) > 0 {
		v.refresh = refreshSeconds
	}
	return v
}
