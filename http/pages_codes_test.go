package http_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/oponn/oponn"
)

// classed returns the texts of the elements of a class.
func (p page) classed(class string) []string {
	var texts []string
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "class") == class && n.FirstChild != nil {
			texts = append(texts, n.FirstChild.Data)
		}
	}
	return texts
}

func TestManagePage_Codes(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	path := owner.makeBallot("protection", "codes")
	owner.open(path+"/results?created=1").says(t, en("result.created.codes"), en("cmd.make_codes"))
	owner.open(path+"/manage").want(t, http.StatusOK).says(t, en("manage.codes.note"), "0 codes made, 0 used")
	for typed, says := range map[string]string{"": "out_of_range", "0": "out_of_range", "-3": "out_of_range", "10001": "out_of_range", "thirty": "out_of_range", "1.5": "out_of_range",
		"99999999999999999999": "out_of_range"} {
		p := owner.submit(path+"/codes", fields("action", "make_codes", "count", typed)).want(t, http.StatusUnprocessableEntity).says(t, en("error.count."+says))
		if p.value("count") != typed {
			t.Errorf("typed %q, kept %q", typed, p.value("count"))
		}
	}
	sheet := owner.submit(path+"/codes", fields("action", "make_codes", "count", " 3 ")).want(t, http.StatusOK).says(t, en("codes.once"), "3 codes", "Tea or coffee?")
	codes := strings.Fields(sheet.value("codes"))
	if printed := sheet.classed("card-code"); len(codes) != 3 || strings.Join(printed, " ") != strings.Join(codes, " ") || strings.Count(sheet.body, "<svg") != 3 {
		t.Fatalf("made %q, printed %q", codes, printed)
	}
	if sheet.says(t, strings.TrimPrefix(w.url, "http://")+" "+path); sheet.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the sheet has the head %v", sheet.header)
	}

	// The same codes as a table, and as a sheet once more; none are made.
	table := owner.submit(path+"/codes", fields("action", "code_table", "codes", sheet.value("codes"))).want(t, http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(table.body)).ReadAll()
	if err != nil || len(rows) != 4 || strings.Join(rows[0], ",") != "code,link" || rows[1][0] != codes[0] || !strings.Contains(table.body, "\r\n") {
		t.Fatalf("the table is %q, %v", table.body, err)
	}
	if h := table.header; h.Get("Content-Type") != "text/csv; charset=utf-8" || h.Get("Content-Disposition") != `attachment; filename="codes-`+strings.TrimPrefix(path, "/ballots/")+`.csv"` {
		t.Errorf("the table's head is %v", h)
	}
	again := owner.submit(path+"/codes", fields("action", "code_sheet", "codes", strings.Join(codes[1:], " "))).want(t, http.StatusOK)
	if printed := again.classed("card-code"); strings.Join(printed, " ") != strings.Join(codes[1:], " ") {
		t.Errorf("printed %q", printed)
	}

	// The links vote, and the owner sees how many have.
	for _, row := range rows[1:3] {
		link, ours := strings.CutPrefix(row[1], w.url)
		if !ours {
			t.Fatalf("the link is %s", row[1])
		}
		voter := w.browser()
		voter.choose(path, voter.open(link).want(t, http.StatusOK).says(t, en("vote.code.held")), "1").want(t, http.StatusOK).says(t, en("receipt.counted"))
	}
	p := owner.open(path+"/manage").says(t, "3 codes made, 2 used")
	for _, code := range codes {
		if strings.Contains(p.body, code) || strings.Contains(w.log.all()+w.behind.all(), code) {
			t.Error("a code is told again")
		}
	}
}

func TestManagePage_CodesRefused(t *testing.T) {
	w := start(t, tuning{})
	owner, stranger := w.browser(), w.browser()
	path, plain := owner.makeBallot("protection", "codes"), owner.makeBallot("protection", "browser")
	code := string(oponn.NewVotingCode())
	for _, form := range []string{"make_codes", "code_sheet", "code_table"} {
		p := stranger.submit(path+"/codes", fields("action", form, "count", "2", "codes", code)).want(t, http.StatusForbidden).says(t, en("manage.key"))
		if strings.Contains(p.body, code) {
			t.Errorf("%s: a stranger gets an echo", form)
		}
	}
	owner.submit(path+"/codes", fields("action", "nothing")).want(t, http.StatusBadRequest)
	for _, codes := range []string{"", "x", code + " =1+1", code + " " + code[1:], strings.Repeat("x ", oponn.MaxNewCodes+1)} {
		for _, action := range []string{"code_sheet", "code_table"} {
			owner.submit(path+"/codes", fields("action", action, "codes", codes)).want(t, http.StatusBadRequest)
		}
	}
	owner.open(plain+"/manage").hides(t, en("manage.codes.note"))
	owner.submit(plain+"/codes", fields("action", "make_codes", "count", "2")).want(t, http.StatusUnprocessableEntity)
	owner.submit("/ballots/"+oponn.NewBallotID().String()+"/codes", fields("action", "make_codes", "count", "2")).want(t, http.StatusNotFound)
	owner.act(path, "delete", "confirm", "yes").want(t, http.StatusOK)
	owner.submit(path+"/codes", fields("action", "make_codes", "count", "2")).want(t, http.StatusGone)
}

// TestManagePage_ManyCodes makes as many as are made at once, until there is
// no room for more.
func TestManagePage_ManyCodes(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	path := owner.makeBallot("protection", "codes")
	for range oponn.MaxCodes / oponn.MaxNewCodes {
		p := owner.submit(path+"/codes", fields("action", "make_codes", "count", "10000")).want(t, http.StatusOK)
		all := p.values("codes")
		if len(strings.Fields(all[0])) != oponn.MaxNewCodes {
			t.Fatalf("made %d codes", len(strings.Fields(all[0])))
		}
		table := owner.submit(path+"/codes", fields("action", "code_table", "codes", all[0])).want(t, http.StatusOK)
		if n := strings.Count(table.body, "\n"); n != oponn.MaxNewCodes+1 {
			t.Errorf("the table has %d lines", n)
		}
		owner.submit(path+"/codes", fields("action", "code_sheet", "codes", all[len(all)-1])).want(t, http.StatusOK).says(t, "160 codes")
	}
	p := owner.submit(path+"/codes", fields("action", "make_codes", "count", "1")).want(t, http.StatusUnprocessableEntity).says(t, en("error.count.too_many"))
	if p.says(t, "100,000 codes made, 0 used").value("count") != "1" {
		t.Errorf("kept %q", p.value("count"))
	}
}

func TestNewBallot_WithCodesLikeAnother(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	path := owner.makeBallot("protection", "codes")
	codes := strings.Fields(owner.submit(path+"/codes", fields("action", "make_codes", "count", "1")).want(t, http.StatusOK).value("codes"))
	form := owner.open("/new?from="+strings.TrimPrefix(path, "/ballots/")).want(t, http.StatusOK).says(t, en("new.protection.hint"))
	if form.selected("protection") != "codes" {
		t.Fatalf("the copy is protected by %q", form.selected("protection"))
	}
	another := owner.makeBallot("protection", form.selected("protection"))
	if d := document[definition](t, w.get("/api/v1"+another)); d.Protection != "codes" {
		t.Errorf("the copy is %+v", d)
	}
	voter := w.browser()
	voter.choose(another, voter.open(another), "1", "code", codes[0]).want(t, http.StatusUnprocessableEntity).says(t, en("error.code.refused"))
	owner.submit("/ballots", fields("question", "Why?", "options", "a", "options", "b", "protection", "guards")).want(t, http.StatusUnprocessableEntity).says(t, "no such setting")
}
