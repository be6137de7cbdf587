package views_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/locales"
)

func fragment(t *testing.T, r views.Result) string {
	t.Helper()
	return render(t, views.ResultFragment(locales.Match("en"), r))
}

func TestResultFragment(t *testing.T) {
	t.Run("is the same for everybody and carries nothing that acts", func(t *testing.T) {
		text := fragment(t, result(1204, 861, 2))
		for _, n := range all(parse(t, text), func(*html.Node) bool { return true }) {
			for _, a := range n.Attr {
				if strings.Contains(a.Key, "hx-") || a.Key == "style" || a.Key == "nonce" {
					t.Errorf("%s has the attribute %s", n.Data, a.Key)
				}
			}
			if n.Data == "script" || n.Data == "style" {
				t.Errorf("there is a %s element", n.Data)
			}
		}
		if strings.Contains(text, "\n") {
			t.Error("it has more than one line, which a stream would have to split")
		}
	})
	t.Run("counts", func(t *testing.T) {
		rows := all(parse(t, fragment(t, result(1204, 861, 2))), tag("li"))
		for i, want := range []string{
			`tabs leads 58.2% 1,204 1,204 votes`,
			hostile + ` 41.7% 861 861 votes`,
			`neither written in 0.1% 2 2 votes`,
		} {
			if got := content(rows[i]); got != want {
				t.Errorf("row %d: got %q, want %q", i+1, got, want)
			}
		}
		if id, _ := attr(rows[2], "id"); id != "o-wAbCdEfGhIjK" {
			t.Errorf("got the id %q", id)
		}
		rest, _ := attr(all(rows[0], tag("rect"))[0], "width")
		if rest != "41.8%" {
			t.Errorf("the bar leaves %s free", rest)
		}
	})
	t.Run("calls a tie so, and nobody first without votes", func(t *testing.T) {
		if text := fragment(t, result(5, 5, 1)); strings.Count(text, ">tied<") != 2 || strings.Contains(text, "leads") {
			t.Errorf("got %s", text)
		}
		text := fragment(t, result(0, 0))
		if strings.Contains(text, "tied") || strings.Contains(text, "first\"") || !strings.Contains(text, "No votes yet") {
			t.Errorf("got %s", text)
		}
	})
	t.Run("says that results come seldom, while they come", func(t *testing.T) {
		r := result(5, 5, 1)
		if text := fragment(t, r); strings.Contains(text, "every") {
			t.Errorf("got %s", text)
		}
		r.Every = 2 * time.Second
		for _, l := range locales.All() {
			var text strings.Builder
			if err := views.ResultFragment(l, r).Render(t.Context(), &text); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text.String(), `<p class="every">`+l.T("live.every", l.Number(2))+"</p>") {
				t.Errorf("%s: %s", l.Lang(), text.String())
			}
		}
		r.Status = oponn.Closed
		if text := fragment(t, r); strings.Contains(text, "every") {
			t.Errorf("closed: %s", text)
		}
	})
	t.Run("is small", func(t *testing.T) {
		if n := len(fragment(t, result(1204, 861, 2))); n > 1100 {
			t.Errorf("three options take %d bytes", n)
		}
	})
}

func BenchmarkResultFragment(b *testing.B) {
	for _, n := range []int{4, 50} {
		r := views.Result{Status: oponn.Open, Votes: 1}
		for i := range n {
			o := oponn.Option{ID: oponn.OptionID(fmt.Sprint(i + 1)), Label: fmt.Sprintf("the option %d", i+1)}
			r.Options = append(r.Options, oponn.Result{Option: o, Votes: uint64(1000 + i)})
			r.Votes += uint64(1000 + i)
		}
		l := locales.Match("en")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := views.ResultFragment(l, r).Render(b.Context(), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkQR(b *testing.B) {
	for b.Loop() {
		if err := views.QR("https://oponn.example/ballots/"+ballotID, "").Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
