package http_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	oponnhttp "github.com/oponn/oponn/http"
)

func TestShortLink(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	if r := w.get("/b/"+b.ID).want(t, http.StatusFound); r.header.Get("Location") != "/ballots/"+b.ID {
		t.Errorf("it leads to %q", r.header.Get("Location"))
	}
	w.get("/b/x").want(t, http.StatusNotFound)
	w.browser().open("/ballots/"+b.ID).says(t, w.url+"/b/"+b.ID)
}

// joining returns the six digits of a ballot as a program sees them.
func (w *world) joining(id string) string {
	w.t.Helper()
	d := document[struct {
		JoinCode bool `json:"join_code"`
		Join     *string
	}](w.t, w.get("/api/v1/ballots/"+id).want(w.t, http.StatusOK))
	if d.Join == nil {
		return ""
	}
	if !d.JoinCode {
		w.t.Error("it has a code and wants none")
	}
	return *d.Join
}

func TestJoin(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee().with("join_code", true))
	code := w.joining(b.ID)
	if len(code) != 6 || w.joining(b.ID) != code {
		t.Fatalf("the code is %q, then %q", code, w.joining(b.ID))
	}
	guest := w.browser()
	guest.open("/").says(t, en("home.code"))
	for _, typed := range []string{code, code[:3] + "+" + code[3:], "+" + code + "-"} {
		if p := guest.open("/join?code="+typed).want(t, http.StatusOK); p.path != "/ballots/"+b.ID {
			t.Errorf("%s leads to %s", typed, p.path)
		}
	}
	for _, typed := range []string{"", "12", "abcdef", strings.Repeat("1", 300)} {
		guest.open("/join?code="+typed).want(t, http.StatusNotFound).says(t, en("error.join.unknown"))
	}
	if p := guest.open("/join?code=abc").want(t, http.StatusNotFound); p.value("code") != "abc" {
		t.Errorf("what was typed has become %q", p.value("code"))
	}
	if plain := w.ballot(teaOrCoffee()); w.joining(plain.ID) != "" {
		t.Error("a ballot that wants no code has one")
	}
	if scheduled := w.ballot(teaOrCoffee().with("join_code", true).with("opens_at", "2035-01-01T00:00:00Z")); w.joining(scheduled.ID) != "" {
		t.Error("a ballot that isn't open has one")
	}
	w.close(b)
	guest.open("/join?code="+code).want(t, http.StatusNotFound)
	if w.joining(b.ID) != "" {
		t.Error("a closed ballot has one")
	}
}

func TestJoin_GuessingIsLimited(t *testing.T) {
	w := start(t, tuning{http: func(c *oponnhttp.Config) { c.RateLimits = true }})
	b := w.ballot(teaOrCoffee().with("join_code", true))
	code := w.joining(b.ID)
	room, guesser := w.browser(), w.browser()
	for range 50 { // a whole room with one address
		room.open("/join?code="+code).want(t, http.StatusOK)
	}
	wrong := "100000"
	if wrong == code {
		wrong = "100001"
	}
	for range 100 {
		guesser.open("/join?code="+wrong).want(t, http.StatusNotFound)
	}
	p := guesser.open("/join?code="+wrong).want(t, http.StatusTooManyRequests).says(t, en("error.join.limited"))
	if p.header.Get("Retry-After") == "" {
		t.Error("it doesn't say when to come back")
	}
	guesser.open("/join?code="+code).want(t, http.StatusTooManyRequests)
}

func TestEmbed(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	path := owner.makeBallot("visibility", "after_closing")
	id := strings.TrimPrefix(path, "/ballots/")
	w.vote(id, "1")
	p := owner.open(path+"/embed").want(t, http.StatusOK).says(t, en("result.hidden.after_closing")).hides(t, "1 vote")
	policy := p.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "frame-ancestors *") || !strings.Contains(policy, "form-action 'none'") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the policy is %q", policy)
	}
	if strings.Contains(p.body, "<form") || !strings.Contains(p.body, w.url+"/b/"+id) || !strings.Contains(p.body, "as=anybody") {
		t.Errorf("the page is %s", p.body)
	}
	// The owner's cookie opens nothing in a frame, not even on the stream.
	stream := w.listen(path+"/live?as=anybody", "Cookie", owner.cookies())
	if m := stream.await(""); !strings.Contains(m.data, en("result.hidden.after_closing")) || m.id != "" {
		t.Errorf("the frame's stream shows %+v", m)
	}
	stream.leave()
	owner.act(path, "close")
	w.browser().open(path+"/embed").says(t, "1 vote", en("cmd.see_result"))
	if other := owner.open(path + "/results"); !strings.Contains(other.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("another page lets itself be framed")
	}
}

func TestPresent(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	first, second := owner.makeBallot("join_code", "on"), owner.makeBallot("visibility", "after_closing", "write_ins", "moderated")
	id := strings.TrimPrefix(second, "/ballots/")
	w.cast(id, w.token(), oponn.NewVoteID(), map[string]string{"write_in": "cocoa, said somebody"}).want(t, http.StatusCreated)

	p := owner.open(first+"/present").want(t, http.StatusOK).says(t, "0 watching", en("cmd.next"), en("cmd.hide_results")).hides(t, en("cmd.previous"))
	code := w.joining(strings.TrimPrefix(first, "/ballots/"))
	p.says(t, code[:3]+" "+code[3:], strings.TrimPrefix(w.url, "http://"))
	if !strings.Contains(p.body, `data-results="shown"`) {
		t.Error("a result that everybody may see is covered")
	}
	if !strings.Contains(p.body, `href="`+second+`/present"`) {
		t.Error("there is no way to the next one")
	}
	// What the room may not see yet is covered until it is revealed, and what
	// waits for approval isn't shown to it at all.
	p = owner.open(second+"/present").want(t, http.StatusOK).says(t, "1 vote", en("cmd.previous"), en("cmd.reveal_results")).hides(t, "cocoa", en("cmd.next"))
	if !strings.Contains(p.body, `data-results="hidden"`) || !strings.Contains(p.body, "as=projector") {
		t.Error("it isn't covered")
	}
	if p = owner.open(second + "/present?results=shown"); !strings.Contains(p.body, `data-results="shown"`) {
		t.Error("it isn't revealed")
	}
	stream := w.listen(second+"/live?as=projector", "Cookie", owner.cookies())
	if m := stream.await(""); !strings.Contains(m.data, "1 vote") || strings.Contains(m.data, "cocoa") {
		t.Errorf("the projector's stream shows %s", m.data)
	}
	defer stream.leave()
	// Somebody else has neither the count nor the owner's other ballots.
	w.browser().open(second+"/present?results=shown").want(t, http.StatusOK).says(t, en("result.hidden.after_closing")).hides(t, "1 vote", en("cmd.previous"), en("cmd.hide_results"))

	viewer := w.listen(first + "/live")
	defer viewer.leave()
	viewer.await("")
	if got := w.get(first+"/watching").want(t, http.StatusOK).body; got != "1 watching" {
		t.Errorf("%q", got)
	}
	if got := w.get(second+"/watching").want(t, http.StatusOK).body; got != "0 watching" {
		t.Errorf("the projector is counted: %q", got)
	}
	w.get("/ballots/"+oponn.NewBallotID().String()+"/watching").want(t, http.StatusNotFound)
}

func TestPictures(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(draft{"question": "Tea <or> \"coffee\" & 茶?", "options": []string{"tea", "コーヒー"}})
	path := "/ballots/" + b.ID
	for range 12 {
		w.vote(b.ID, "2")
	}
	w.get(path+"/pace.svg").want(t, http.StatusNotFound)
	bars := w.get(path+"/bars.svg").want(t, http.StatusOK)
	w.close(b)
	w.get(path+"/pace.svg").want(t, http.StatusOK) // a page doesn't wait for it long
	page := w.browser().open(path + "/results")
	for _, name := range []string{"bars.svg", "bars.png", "pace.svg", "pace.png"} {
		r := w.get(path+"/"+name).want(t, http.StatusOK)
		if got := r.header.Get("Content-Disposition"); got != `attachment; filename="oponn-`+b.ID+"-"+name+`"` {
			t.Errorf("%s is to be saved as %s", name, got)
		}
		if !strings.Contains(page.body, path+"/"+name) {
			t.Errorf("the page doesn't link to %s", name)
		}
		if strings.HasSuffix(name, ".svg") {
			wantSVG(t, r)
		} else {
			wantPNG(t, r, 1200, 0)
		}
	}
	if wantSVG(t, bars); !strings.Contains(bars.body, "コーヒー: 12 (100.0%)") {
		t.Errorf("the bars are described as %.800s", bars.body)
	}
	if !strings.Contains(page.body, "12 votes between") {
		t.Error("the page has no chart")
	}
	few := w.ballot(teaOrCoffee())
	w.vote(few.ID, "1")
	w.close(few)
	w.get("/ballots/"+few.ID+"/pace.svg").want(t, http.StatusNotFound)
}

// wantSVG checks that an answer is one, with a title and a description.
func wantSVG(t *testing.T, r reply) {
	t.Helper()
	if got := r.header.Get("Content-Type"); got != "image/svg+xml; charset=utf-8" {
		t.Errorf("it is %s", got)
	}
	for _, part := range []string{"<title>", "<desc>", "Tea &lt;or&gt;"} {
		if !strings.Contains(r.body, part) {
			t.Errorf("there is no %s in %.600s", part, r.body)
		}
	}
	for decoder := xml.NewDecoder(strings.NewReader(r.body)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// wantPNG checks an image; a height of zero is any.
func wantPNG(t *testing.T, r reply, width, height int) {
	t.Helper()
	image, err := png.Decode(bytes.NewReader([]byte(r.body)))
	if err != nil || r.header.Get("Content-Type") != "image/png" {
		t.Fatalf("%s: %v", r.header.Get("Content-Type"), err)
	}
	if size := image.Bounds().Size(); size.X != width || height > 0 && size.Y != height {
		t.Errorf("it is %v", size)
	}
}

func TestPreview(t *testing.T) {
	for _, visibility := range []string{"always", "after_voting", "after_closing", "owner"} {
		t.Run(visibility, func(t *testing.T) {
			w := start(t, tuning{})
			b := w.ballot(teaOrCoffee().with("visibility", visibility))
			path := "/ballots/" + b.ID + "/preview.png"
			before := w.get(path).want(t, http.StatusOK)
			wantPNG(t, before, 1200, 630)
			if got := before.header.Get("Cache-Control"); got != "public, max-age=300" {
				t.Errorf("it may be kept: %s", got)
			}
			for range 3 {
				w.vote(b.ID, "1")
			}
			again := w.get(path, "Authorization", "Bearer "+b.OwnerKey).want(t, http.StatusOK)
			if again.body != before.body || again.header.Get("Content-Length") != before.header.Get("Content-Length") {
				t.Error("the picture of an open ballot changes with votes")
			}
			w.close(b)
			w2 := start(t, tuning{})
			empty := w2.ballot(teaOrCoffee().with("visibility", visibility))
			w2.close(empty)
			closed, closedEmpty := w.get(path).want(t, http.StatusOK), w2.get("/ballots/"+empty.ID+"/preview.png").want(t, http.StatusOK)
			hidden := visibility == "after_voting" || visibility == "owner"
			if (closed.body == closedEmpty.body) != hidden {
				t.Errorf("a closed ballot's picture shows its votes: %v", !hidden)
			}
			p := w.browser().open("/ballots/" + b.ID)
			for _, tag := range []string{`property="og:title" content="Tea or coffee?"`, `property="og:image" content="` + w.url + path + `"`, `name="twitter:card"`} {
				if !strings.Contains(p.body, tag) {
					t.Errorf("the page has no %s", tag)
				}
			}
		})
	}
}
