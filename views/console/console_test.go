package console

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn/views"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(uint64(12345678)), "12,345,678"},
		{Rate(0.01), "0"}, {Rate(0.26), "0.3"}, {Rate(9.96), "10"}, {Rate(12345.6), "12,346"}, {Rate(math.NaN()), "–"},
		{Took(0.00004), "0.04 ms"}, {Took(0.0014), "1.4 ms"}, {Took(0.0998), "100 ms"}, {Took(2.34), "2.3 s"}, {Took(math.NaN()), "–"},
		{Lasting(-time.Second), "0 s"}, {Lasting(61 * time.Second), "1 min 01 s"}, {Lasting(26 * time.Hour), "1 d 02 h"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestPoints(t *testing.T) {
	gap := Points{math.NaN(), 1, math.NaN(), 2, 4}
	if got, want := gap.path(4, false), "M45.0 29.5h1M135.0 20.0L180.0 1.0"; got != want {
		t.Errorf("the line is %q, want %q", got, want)
	}
	if got, want := gap.path(4, true), "M45.0 40.0L45.0 29.5L45.0 40.0ZM135.0 40.0L135.0 20.0L180.0 1.0L180.0 40.0Z"; got != want {
		t.Errorf("the area is %q, want %q", got, want)
	}
	if got := gap.Blocks(5); got != " ▃ ▅█" {
		t.Errorf("as letters %q", got)
	}
	if got := (Points{}).Blocks(3) + (Points{0}).path(0, false); got != "   M0.0 39.0h1" {
		t.Errorf("of nothing: %q", got)
	}
	b, err := json.Marshal(gap)
	if err != nil || string(b) != "[null,1,null,2,4]" {
		t.Errorf("as JSON %s, %v", b, err)
	}
	var back Points
	if err := json.Unmarshal(b, &back); err != nil || !math.IsNaN(back[0]) || back[4] != 4 || back.Max() != 4 {
		t.Errorf("read back: %v, %v", back, err)
	}
}

// Nothing that a program says is taken for markup, and what a stream pushes
// steers nothing.
func TestFragments_AreHarmless(t *testing.T) {
	const evil = `<script>alert(1)</script>`
	at := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
	var b strings.Builder
	s := State{At: at, Self: Instance{Name: evil, Status: "degraded"}, Parts: []Part{{Name: "bus", Error: evil, Since: at}},
		Tree: Node{Name: evil, Children: []Node{{Name: "ballot/x", Ballot: "x", Note: evil}}}, Instances: []Instance{{Name: evil}}}
	if err := OverviewFragment(s).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if err := BallotFragment(BallotView{At: at, Ballot: Ballot{Error: evil, Refusal: evil, Groups: []Group{{Name: evil}}}}).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"<script", "hx-", "style=", "onload"} {
		if strings.Contains(b.String(), word) {
			t.Errorf("there is %q", word)
		}
	}
	var page strings.Builder
	if err := Overview(Page{Assets: &views.Assets{}, Path: "/"}, s).Render(context.Background(), &page); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "hx-") || !strings.Contains(page.String(), `<meta http-equiv="refresh"`) {
		t.Error("built without htmx, the page has to be loaded anew")
	}
}
