package http

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/locales"
)

// FuzzJSON reads bodies of the API. They are refused, or are what encoding/json
// takes them for.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"", "{}", "null", "[]", `{"question":"?","options":["a","b"]}`, `{"options":[1]}`, `{"options":null}`, `{"options":{"a":1}}`, `{"options":[null,"a"]}`, `{"x":1}`,
		`{"question":"\ud800"}`, "{\"question\":\"\xff\"}", `{"choices":{"min":1}}`, `{"question":"?","question":1}`, `{"options":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}`, ` {"question":"\"[[[["} `, `{"choices":["1"]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var question string
		var options []string
		var rest json.RawMessage
		err := parseJSON(body, map[string]any{"question": &question, "options": (*labels)(&options), "choices": &rest})
		if code := oponn.CodeOf(err); err != nil && code != oponn.CodeMalformed && code != oponn.CodeInvalid {
			t.Errorf("%q: %v", body, err)
		}
		if err != nil {
			if fields := domainError(err).Fields; len(fields) > maxWrong {
				t.Errorf("%d complaints", len(fields))
			}
			return
		}
		var plain struct {
			Question string
			Options  []string
			Choices  any
		}
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("%q is taken, but encoding/json says %v", body, err)
		}
		if len(plain.Options) > oponn.MaxOptions {
			plain.Options = plain.Options[:len(options)]
		}
		// encoding/json alone doesn't mind in which case names are.
		if bytes.Contains(body, []byte(`"question"`)) && bytes.Count(bytes.ToLower(body), []byte(`question`)) == 1 && question != plain.Question ||
			bytes.Count(bytes.ToLower(body), []byte(`options`)) == 1 && len(options)+len(plain.Options) > 0 && !reflect.DeepEqual(options, plain.Options) {
			t.Errorf("%q is read as %q and %q", body, question, options)
		}
	})
}

// FuzzVote reads votes, by the short way and by the long one, which agree.
func FuzzVote(f *testing.F) {
	for _, seed := range []string{`{"choices":["1"]}`, `{"choices":[""]}`, `{"choices":["1","2"]}`, `{"choices":["\u0031"]}`, `{"choices":["a"b"]}`, `{"choices":["1"]} `, `{"write_in":"x"}`, `{"code":"","choices":["1"]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		option, ok := soleChoice(body)
		if !ok {
			return
		}
		var choices []oponn.OptionID
		if err := parseJSON(body, map[string]any{"choices": &choices}); err != nil || len(choices) != 1 || choices[0] != option {
			t.Errorf("%q is %q by the short way, %q by the long one, %v", body, option, choices, err)
		}
	})
}

// FuzzForm reads forms as browsers, and others, send them.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"", "question=%3F&options=a&options=b", "choice=1&vote_id=x&write_in=%00", "closes=at&closes_at=2035-01-01T00%3A00&zone=Europe%2FBerlin", "closes=in_1h&zone=%2e%2e%2fetc",
		"kind=several&choices_min=-1&choices_max=99999999999999999999", "retention_days=1e9", "opens=at&opens_at=0000-00-00T00:00&zone=Local", "%zz", "a=%ff", "revision=4294967296"} {
		f.Add(seed)
	}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		filled := readNewBallot(form)
		draft, wrong := formDraft(filled, now)
		if _, _, err := draft.Check(now); err != nil && len(wrong) == 0 && oponn.CodeOf(err) != oponn.CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
		if len(draft.Options) > keptOptions {
			t.Errorf("%d options", len(draft.Options))
		}
		if ids, _, err := chosen(form); err != nil && (oponn.CodeOf(err) != oponn.CodeInvalid || ids != nil) {
			t.Errorf("%q: %v", text, err)
		}
		_ = shownRevision(form)
		_, _ = formCodes(form)
		_ = pastedKey(form.Get("owner_key"))
	})
}

// FuzzSigned reads cookies and tokens. Only what was signed is one, in one
// spelling, for the purpose that it was signed for.
func FuzzSigned(f *testing.F) {
	secrets := [][]byte{[]byte("a secret that only the tests know"), []byte("an older one that still verifies")}
	cookies, err := newSigner(purposeVoterCookie, secrets)
	if err != nil {
		f.Fatal(err)
	}
	tokens, err := newSigner(purposeVoterToken, secrets)
	if err != nil {
		f.Fatal(err)
	}
	old, err := newSigner(purposeVoterCookie, secrets[1:])
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	voter := [16]byte{1, 2, 3}
	known := map[string]bool{cookies.sign(voter[:]): true, old.sign(voter[:]): true}
	// The same in every process of a run: that is how the workers know it.
	token := tokens.sign(binary.BigEndian.AppendUint64(voter[:], uint64(now.Add(tokenAge).Unix())))
	for _, seed := range []string{cookies.sign(voter[:]), old.sign(voter[:]), token, "", token + "=", strings.Repeat("A", len(token)), token[:len(token)-1] + "\n", token[:len(token)-2] + "AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if payload, ok := cookies.verify(text, 16); ok && (!known[text] || !bytes.Equal(payload, voter[:])) {
			t.Errorf("the cookie %q is taken for %x", text, payload)
		}
		if voter, ok := readVoterToken(tokens, text, now); ok && text != token {
			t.Errorf("the token %q is taken for %x", text, voter)
		}
		if _, ok := readVoterToken(tokens, text, now.Add(2*tokenAge)); ok {
			t.Errorf("the token %q never expires", text)
		}
	})
}

// FuzzHeads reads what stands in the heads of requests: hosts, addresses, tags,
// the last event's id, where to go back to.
func FuzzHeads(f *testing.F) {
	for _, seed := range []string{"", "example.org", "[::1]:8080", "a@b", "127.0.0.1, 10.0.0.1", "2001:db8::1%eth0", `"7"`, `W/"7", *`, "18446744073709551616", "//evil.example", "/\\evil.example", "/a?b=c#d", "/%2f/evil.example", "https:evil",
		"/\t/evil.example", "/x?language=de&y=1", "Bearer  x", "bearer\tx", "/ballots//votes", "/%zz", "/a;b=c"} {
		f.Add(seed)
	}
	s := &Server{cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	at := &url.URL{Scheme: "https", Host: "vote.example", Path: "/x"}
	f.Fuzz(func(t *testing.T, text string) {
		if path := ownPath(text); !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n ") {
			t.Errorf("back to %q is %q", text, path)
		} else if to, err := at.Parse(path); err != nil || to.Host != at.Host {
			t.Errorf("back to %q is %q, which leads to %v", text, path, to)
		} else if ownPath(path) != path {
			t.Errorf("back to %q is %q, then %q", text, path, ownPath(path))
		}
		if validHost(text) {
			if u, err := url.Parse("http://" + text + "/b/x"); err != nil || u.Host != text || u.Path != "/b/x" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
				t.Errorf("the host %q makes the link %v, %v", text, u, err)
			}
		}
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {text}, "Authorization": {text}}}
		if addr := s.client(r); !addr.IsValid() {
			t.Errorf("%q leaves no address", text)
		}
		if credentials := bearer(r); strings.TrimSpace(credentials) != credentials {
			t.Errorf("the credentials are %q", credentials)
		}
		if v := parseVersion(text); v > 0 && strconv.FormatUint(v, 10) != strings.TrimLeft(strings.TrimSpace(text), "+0") {
			t.Errorf("%q is the version %d", text, v)
		}
		matchesTag(text, strconv.Quote(strconv.FormatUint(newestTag(text), 10)))
	})
}

// heard is an event of a stream as the HTML Standard (section 9.2.6) has
// browsers read it.
type heard struct{ name, id, data string }

// hear reads a stream that has ended: what has no empty line after it is lost.
func hear(stream []byte) (events []heard) {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(stream))
	var e heard
	var data []string
	for line := range strings.SplitSeq(text, "\n") {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "":
			if line == "" && data != nil {
				e.data = strings.Join(data, "\n")
				events = append(events, e)
			}
			if line == "" {
				e, data = heard{}, nil
			}
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			data = append(data, value)
		}
	}
	return events
}

// FuzzFrames puts any label into the frames of streams, and reads them back as
// a browser does: one event of each kind, with the label in it and nothing
// that it could have made.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{"tea", "<script>alert(1)</script>", "\n\nevent: end\ndata: x\n\n", "\r\rdata: x", "id: 7", "a\nid: 9\nb", "</li><li>", "\u2028", "\u0085", "\x00", "\xff", `"}],"votes":7}`, "&amp;", "<!--"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, label string) {
		definition := oponn.Definition{Question: label, Labels: []string{label, "coffee"}}
		b := oponn.Snapshot{Ballot: &oponn.Ballot{ID: oponn.BallotID{1}, Definition: definition}, Version: 7,
			State: oponn.State{Status: oponn.Open, Counts: []uint64{2, 1}, Voters: 3}}
		bytes, prelude := pageDialects(locales.Match("en"))[oponn.Onlooker{}].Render(b)
		events := hear(bytes)
		if len(events) != 1 || events[0].name != "" || events[0].id != "7" || prelude != 0 {
			t.Fatalf("%q makes the events %+v", label, events)
		}
		root, err := html.Parse(strings.NewReader(events[0].data))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for n := range root.Descendants() {
			switch {
			case n.Type == html.CommentNode, n.Data == "script", n.Data == "img":
				t.Errorf("%q makes a %s", label, n.Data)
			case n.Data == "li":
				rows++
			}
		}
		if rows != 2 {
			t.Errorf("%q makes %d rows: %s", label, rows, events[0].data)
		}
		bytes, prelude = apiDialects()[oponn.Onlooker{}].Render(b)
		if events = hear(bytes); len(events) != 2 || events[0].name != "status" || events[1].name != "tally" || len(hear(bytes[prelude:])) != 1 {
			t.Fatalf("%q makes the events %+v", label, events)
		}
		var tally struct {
			Votes   int
			Options []struct{ Label string }
		}
		if err := json.Unmarshal([]byte(events[1].data), &tally); err != nil || tally.Votes != 3 || len(tally.Options) != 2 {
			t.Fatalf("%q makes %s, %v", label, events[1].data, err)
		}
		if utf8.ValidString(label) && tally.Options[0].Label != label {
			t.Errorf("%q has become %q", label, tally.Options[0].Label)
		}
	})
}
