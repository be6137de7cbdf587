package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oponn/oponn/http/browsertest"
)

// The screens of visitors, in CSS pixels.
const (
	phone = 360
	wide  = 1440
)

// visitor is a person with a real browser, whose steps must succeed.
type visitor struct {
	*browsertest.Visitor
	*journey
}

func (j *journey) visitor(width int64, options ...browsertest.Option) visitor {
	j.Helper()
	v, err := j.chromium.Visitor(width, 800, options...)
	if err != nil {
		j.Fatal(err)
	}
	j.Cleanup(func() {
		if complaints := v.Errors(); len(complaints) > 0 {
			j.Errorf("a page's scripts complain: %q", complaints)
		}
		v.Leave()
	})
	return visitor{v, j}
}

func (v visitor) must(err error) {
	v.Helper()
	if err != nil {
		where, _ := v.URL()
		v.Fatalf("at %s: %v", where, err)
	}
}

// open opens a ballot's page at an instance.
func (v visitor) open(s *server, ballot, page string) {
	v.Helper()
	v.must(v.Go(s.url + "/ballots/" + ballot + page))
}

func (v visitor) sees(text string) {
	v.Helper()
	_, err := v.AwaitText(text)
	v.must(err)
}

// missing checks that a page doesn't say something.
func (v visitor) missing(text string) {
	v.Helper()
	said, err := v.Text()
	if v.must(err); strings.Contains(said, text) {
		v.Fatalf("the page says %q: %s", text, said)
	}
}

// do runs something in the page that is worth true when it was done.
func (v visitor) do(what, expression string) {
	v.Helper()
	done, err := browsertest.Eval[bool](v.Visitor, expression)
	if v.must(err); !done {
		v.Fatalf("it is not possible to %s", what)
	}
}

// choose chooses an option by its label.
func (v visitor) choose(label string) {
	v.Helper()
	v.do("choose "+label, fmt.Sprintf(`(() => { const l = [...document.querySelectorAll("label.choice")].find(l => l.querySelector("bdi").textContent === %q); l?.click(); return !!l })()`, label))
}

// press presses a button, or follows a link, by what stands on it.
func (v visitor) press(text string) {
	v.Helper()
	v.do("press "+text, fmt.Sprintf(`(() => { const b = [...document.querySelectorAll(".button")].find(b => b.textContent.trim() === %q && b.checkVisibility()); b?.click(); return !!b })()`, text))
}

// oncePerBrowser votes here while others watch there.
func (j *journey) oncePerBrowser() {
	b := j.ballot(nil)
	watching, anna, ben := b.follow(""), j.visitor(wide), j.visitor(phone)
	anna.open(j.there, b.id, "/results")
	anna.sees("No votes yet")
	ben.open(j.here, b.id, "")
	ben.sees("One vote per browser")
	ben.choose("coffee")
	ben.press("cast_vote")
	ben.sees("your vote is counted")
	anna.sees("1 vote")
	anna.sees("leads")
	watching.await("tally ", `"label":"coffee","votes":1`)
	// The same browser at the other instance: the cookie is for the host.
	ben.open(j.there, b.id, "")
	ben.sees("your vote is counted")
	b.cast(b.voter(rules{"choices": []string{"1"}}), j.there, http.StatusCreated)
	anna.sees("tied")
	ben.sees("2 votes")
}

// severalChoices chooses too few, too many, and then well.
func (j *journey) severalChoices() {
	b := j.ballot(rules{"options": []string{"tea", "coffee", "water", "milk"}, "choices": rules{"min": 2, "max": 3}, "allow_write_in": true})
	watching, ben := b.follow(""), j.visitor(phone)
	ben.open(j.here, b.id, "")
	ben.sees("Choose 2 to 3")
	ben.choose("tea")
	ben.press("cast_vote")
	ben.sees("Please choose at least 2 options.")
	ben.do("see what was chosen", `document.querySelector("input[name=choice][value='1']").checked`)
	for _, label := range []string{"coffee", "water", "milk"} {
		ben.choose(label)
	}
	ben.press("cast_vote")
	ben.sees("Please choose at most 3 options.")
	ben.choose("milk")
	ben.choose("water")
	ben.must(ben.Type("#write_in", "mate"))
	ben.do("see the box ticked", `document.querySelector("[data-write-in]").checked`)
	ben.press("cast_vote")
	ben.sees("your vote is counted")
	ben.sees("100.0%")
	got := countsIn(j.T, strings.TrimPrefix(watching.await("tally ", `"votes":1,"status"`), "tally "))
	if got["tea"] != 1 || got["coffee"] != 1 || got["mate"] != 1 || got["milk"]+got["water"] != 0 {
		j.Errorf("the counts are %v", got)
	}

	// What was unticked again is not sent.
	cleo := j.visitor(phone)
	cleo.open(j.here, b.id, "")
	cleo.must(cleo.Type("#write_in", "juice"))
	cleo.must(cleo.Click(".choice-head"))
	cleo.choose("tea")
	cleo.choose("water")
	cleo.press("cast_vote")
	cleo.sees("your vote is counted")
	b.wants(j.there, map[string]uint64{"tea": 2, "coffee": 1, "water": 1, "milk": 0, "mate": 1})
}

// writeInsWait shows a write-in when the owner says so, and hides it again.
func (j *journey) writeInsWait() {
	b := j.ballot(rules{"allow_write_in": true, "write_ins": "moderated"})
	anna, ben := j.visitor(wide), j.visitor(phone)
	anna.open(j.there, b.id, "/results")
	ben.open(j.here, b.id, "")
	ben.sees("shown once the owner approves")
	ben.must(ben.Type("#write_in", "mate, please"))
	ben.press("cast_vote")
	ben.sees("your vote is counted")
	anna.sees("1 vote")
	anna.missing("mate")
	var id string
	eventually(j.T, "the owner sees the write-in", func() bool {
		_, text := api(j.T, j.there, http.MethodGet, "/"+b.id+"/results", b.ownerKey, nil)
		_, after, found := strings.Cut(text, `{"id":"w`)
		if id = "w" + strings.SplitN(after, `"`, 2)[0]; !found {
			return false
		}
		return strings.Contains(text, "mate, please")
	})
	b.change("/options/"+id, rules{"hidden": false})
	anna.sees("mate, please")
	b.change("/options/"+id, rules{"hidden": true})
	anna.sees("(hidden by the owner)")
	anna.must(anna.AwaitTrue(`!document.body.textContent.includes("mate")`)) // nor does a screen reader say it
}

// openingAndClosing follows a ballot on pages that nobody touches.
func (j *journey) openingAndClosing() {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339Nano) }
	b := j.ballot(rules{"opens_at": in(time.Hour), "closes_at": in(2 * time.Hour)})
	watching, anna, ben := b.follow(""), j.visitor(wide), j.visitor(phone)
	anna.open(j.there, b.id, "/results")
	anna.sees("opens in")
	ben.open(j.there, b.id, "")
	ben.sees("Voting has not started yet")
	b.cast(b.voter(rules{"choices": []string{"1"}}), j.here, http.StatusConflict)
	b.change("", rules{"status": "open"})
	watching.await(`"status":"open"`)
	anna.sees("closes in")
	ben.sees("cast_vote")
	ben.choose("tea")
	b.change("", rules{"closes_at": in(time.Second)})
	watching.await(`"status":"closed"`) // by the clock, at any instance
	anna.sees("final result")
	ben.sees("Voting has just ended")
	ben.press("cast_vote")
	ben.sees("Your vote came too late")
	b.cast(b.voter(rules{"choices": []string{"1"}}), j.here, http.StatusConflict)
	b.change("", rules{"status": "open"})
	watching.await(`"status":"open"`)
	anna.sees("You have not voted yet")
	ben.sees("cast_vote") // the page has come back by itself
	ben.choose("coffee")
	ben.press("cast_vote")
	ben.sees("your vote is counted")
	anna.sees("1 vote")
	status, text := api(j.T, j.here, http.MethodDelete, "/"+b.id, b.ownerKey, nil)
	wantStatus(j.T, http.StatusNoContent)(status, text)
	watching.await(`"reason":"gone"`)
	anna.sees("this ballot was deleted")
	ben.sees("this ballot was deleted")
}

// editedQuestion edits a ballot while somebody has its old question open.
func (j *journey) editedQuestion() {
	b := j.ballot(rules{"question": "Is tea good?", "options": []string{"yes", "no"}})
	ben := j.visitor(phone)
	ben.open(j.there, b.id, "")
	ben.choose("yes")
	b.change("", rules{"question": "Is tea bad?", "options": []string{"yes", "perhaps"}})
	ben.press("cast_vote")
	ben.sees("this is how they are now")
	ben.sees("Is tea bad?")
	ben.do("see the choice kept", `document.querySelector("input[name=choice][value='1']").checked`)
	ben.press("cast_vote")
	ben.sees("your vote is counted")
	ben.sees("Is tea bad?")
	b.wants(j.here, map[string]uint64{"yes": 1, "perhaps": 0})
}

// fiftyOptions have long labels in many scripts, and an order for each voter.
func (j *journey) fiftyOptions() {
	var options []string
	for i := range 50 {
		options = append(options, []string{"Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "空白を二つ空白を二つ空白を二つ空白を二つ空白を二つ空白を二つ",
			"مسافتان بيضاوان في أول كل سطر", "สองช่องว่างที่ต้นของทุกบรรทัดของโปรแกรม", "שני רווחים בתחילת כל שורה"}[i%5]+fmt.Sprint(" ", i+1))
	}
	b := j.ballot(rules{"options": options, "shuffle_options": true, "choices": rules{"min": 1, "max": 50}})
	const order = `[...document.querySelectorAll("input[name=choice]")].map(i => i.value)`
	const overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
	read := func(v visitor) []string {
		values, err := browsertest.Eval[[]string](v.Visitor, order)
		v.must(err)
		return values
	}
	fits := func(v visitor) {
		if over, err := browsertest.Eval[int](v.Visitor, overflow); err != nil || over != 0 {
			j.Errorf("the page sticks out by %d px: %v", over, err)
		}
	}
	anna, ben := j.visitor(phone), j.visitor(phone)
	anna.open(j.here, b.id, "")
	first := read(anna)
	fits(anna)
	anna.open(j.there, b.id, "")
	if again := read(anna); len(first) != 50 || !slices.Equal(first, again) {
		j.Errorf("a voter sees %v here and %v there", first, again)
	}
	if ben.open(j.here, b.id, ""); slices.Equal(first, read(ben)) {
		j.Error("two voters see one order")
	}
	anna.do("choose all", `(() => { const all = [...document.querySelectorAll("label.choice")]; all.forEach(l => l.click()); return all.length === 50 })()`)
	anna.press("cast_vote")
	anna.sees("your vote is counted")
	anna.sees("100.0%")
	fits(anna)
	all := make(map[string]uint64)
	for _, label := range options {
		all[label] = 1
	}
	b.wants(j.there, all)
}

// withoutScripts votes with a plain form, and writes in beside its box.
func (j *journey) withoutScripts() {
	b := j.ballot(rules{"choices": rules{"min": 1, "max": 2}, "allow_write_in": true, "closes_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	ben := j.visitor(phone, browsertest.NoScript())
	ben.open(j.here, b.id, "")
	ben.sees("UTC") // the countdown needs a script
	ben.choose("tea")
	ben.must(ben.Type("#write_in", "mate"))
	ben.press("cast_vote")
	ben.sees("your vote is counted")
	ben.sees("as of")
	b.wants(j.there, map[string]uint64{"tea": 1, "coffee": 0, "mate": 1})
	ben.must(ben.Click(".receipt summary"))
	ben.press("check_receipt")
	ben.sees("The vote of this receipt is counted.")
}

// wrongInput fills in the form for a ballot badly.
func (j *journey) wrongInput() {
	anna := j.visitor(wide)
	anna.must(anna.Go(j.here.url + "/new"))
	anna.must(anna.Type("#question", "Which?"))
	anna.must(anna.Type("#option-1", "one"))
	anna.must(anna.Type("#option-2", "ONE"))
	anna.must(anna.Click(".rules summary"))
	anna.do("set the rules", `(() => {
		const set = (id, value) => { const e = document.querySelector(id); e.value = value; e.dispatchEvent(new Event("change", { bubbles: true })) };
		set("#closes", "at"); set("#closes_at", "2020-02-02T10:00"); set("#kind", "approval"); set("#choices_min", "3"); set("#choices_max", "2");
		set("#retention_days", "9999");
		return true })()`)
	anna.press("create_ballot")
	for field, sentence := range map[string]string{"option-2": "This option stands there twice.", "closes_at": "The closing time has already passed.",
		"choices_max": "The least number of choices is above the most.", "retention_days": "A ballot is kept between 1 and 3650 days."} {
		anna.sees(sentence)
		anna.do("find "+sentence+" beside its field", fmt.Sprintf(`(() => { const i = document.getElementById(%q), e = document.getElementById(%q);
			return e?.textContent === %q && i.getAttribute("aria-invalid") === "true" && i.getAttribute("aria-describedby").includes(e.id) && e.checkVisibility() })()`, field, field+"-error", sentence))
	}
	anna.do("find what was typed", `document.querySelector("#closes_at").value === "2020-02-02T10:00" && document.querySelector("#choices_min").value === "3" && document.querySelector("#option-2").value === "ONE"`)
}

// ownZones gives times by the creator's clock and reads them by the voter's.
func (j *journey) ownZones() {
	anna, ben := j.visitor(wide, browsertest.In("America/New_York")), j.visitor(phone, browsertest.In("Asia/Tokyo"))
	anna.must(anna.Go(j.here.url + "/new"))
	anna.must(anna.Type("#question", "When?"))
	anna.must(anna.Type("#option-1", "now"))
	anna.must(anna.Type("#option-2", "later"))
	anna.must(anna.Click(".rules summary"))
	anna.do("give a time", `(() => {
		const opens = document.querySelector("#opens"), at = document.querySelector("#opens_at"), zone = document.querySelector("#zone");
		opens.value = "at"; opens.dispatchEvent(new Event("change", { bubbles: true }));
		at.value = new Date().getFullYear() + 2 + "-07-01T20:00";
		return zone.value === "America/New_York" && zone.checkVisibility() })()`)
	anna.press("create_ballot")
	anna.sees("Your ballot is ready")
	link, err := browsertest.Eval[string](anna.Visitor, `document.querySelector("[data-copy-source]").value`)
	anna.must(err)
	ben.must(ben.Go(j.there.url + link[strings.Index(link, "/b/"):]))
	ben.sees("opens in")
	// 20:00 in New York's summer is midnight in UTC, and nine in Tokyo.
	ben.do("read the time by Tokyo's clock", `(() => { const t = document.querySelector("time[data-countdown]");
		return t.dateTime.includes("-07-02T00:00:00") && t.title.includes("Jul 2") && t.title.includes("9:00") })()`)
}
