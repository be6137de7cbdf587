package http_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// act presses a button of the owner's page.
func (b *browser) act(path, action string, pairs ...string) page {
	b.t.Helper()
	return b.submit(path+"/manage", fields(append([]string{"action", action}, pairs...)...))
}

func TestManagePage_ByCookie(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	path := owner.makeBallot("closes", "1h", "zone", "UTC")
	id := strings.TrimPrefix(path, "/ballots/")
	owner.open(path+"/results").says(t, en("cmd.manage"))
	owner.open(path+"/manage").want(t, http.StatusOK).says(t, en("cmd.close_now"), en("cmd.delete_ballot")).hides(t, en("cmd.reopen"))

	before := document[definition](t, w.get("/api/v1"+path)).ClosesAt
	owner.act(path, "extend", "closes", "24h").want(t, http.StatusOK).says(t, en("manage.done.extend"))
	if after := document[definition](t, w.get("/api/v1"+path)).ClosesAt; after.Sub(*before).Hours() != 24 {
		t.Errorf("a day later than %v is %v", before, after)
	}
	owner.act(path, "extend", "closes", "at", "closes_at", "2001-01-01T00:00").want(t, http.StatusUnprocessableEntity).says(t, en("error.closes_at.past"))
	owner.act(path, "extend", "closes", "at", "closes_at", "2030-01-01T00:00", "zone", "x").want(t, http.StatusUnprocessableEntity).says(t, en("error.zone.unknown"))
	owner.act(path, "nothing").want(t, http.StatusBadRequest)

	owner.act(path, "close").want(t, http.StatusOK).says(t, en("manage.done.close"), en("cmd.reopen"))
	if r := w.results(id); r.Status != "closed" {
		t.Errorf("the ballot is %s", r.Status)
	}
	owner.act(path, "extend", "closes", "1h").want(t, http.StatusConflict).says(t, en("problem.closed.title"))
	owner.act(path, "open").want(t, http.StatusOK).says(t, en("manage.done.open"), en("cmd.close_now"))

	owner.act(path, "delete").want(t, http.StatusOK).says(t, en("manage.confirm"))
	if r := w.results(id); r.Status != "open" {
		t.Errorf("asking deleted: %+v", r)
	}
	if p := owner.act(path, "delete", "confirm", "yes").want(t, http.StatusOK); p.path != "/" {
		t.Errorf("deleting led to %s", p.path)
	}
	owner.open(path+"/manage").want(t, http.StatusGone).says(t, en("problem.gone.title"))
}

func TestManagePage_ByKey(t *testing.T) {
	w := start(t, tuning{})
	b, other := w.ballot(teaOrCoffee()), w.ballot(teaOrCoffee())
	path := "/ballots/" + b.ID
	someone := w.browser()
	someone.open(path+"/manage").want(t, http.StatusForbidden).says(t, en("manage.key")).hides(t, en("cmd.close_now"))
	someone.open(path+"/manage?owner_key="+b.OwnerKey).want(t, http.StatusForbidden)
	for _, action := range []string{"close", "delete"} {
		someone.act(path, action, "confirm", "yes").want(t, http.StatusForbidden)
	}
	for _, key := range []string{"", "x", other.OwnerKey} {
		someone.submit(path+"/manage", fields("owner_key", key)).want(t, http.StatusForbidden).says(t, en("error.owner_key.wrong"))
	}
	if r := w.results(b.ID); r.Status != "open" {
		t.Fatalf("somebody else moved the ballot: %+v", r)
	}
	p := someone.submit(path+"/manage", fields("owner_key", " "+b.OwnerKey+"\n")).want(t, http.StatusOK).says(t, en("cmd.close_now"))
	if strings.Contains(p.body, b.OwnerKey) || p.path != path+"/manage" {
		t.Errorf("the key is on the page at %s", p.path)
	}
	someone.act(path, "close").want(t, http.StatusOK).says(t, en("manage.done.close"))
	someone.open("/ballots/"+other.ID+"/manage").want(t, http.StatusForbidden)
}

// TestManagePage_ByKeysOfSeveral pastes whole links, into more ballots' pages
// than a browser keeps cookies for.
func TestManagePage_ByKeysOfSeveral(t *testing.T) {
	w := start(t, tuning{})
	someone := w.browser()
	var paths []string
	for range 22 {
		b := w.ballot(teaOrCoffee())
		path := "/ballots/" + b.ID + "/manage"
		someone.submit(path, fields("owner_key", w.url+path+"#"+b.OwnerKey)).want(t, http.StatusOK).says(t, en("cmd.close_now"))
		paths = append(paths, path)
	}
	someone.open(paths[0]).want(t, http.StatusForbidden)
	for _, path := range paths[2:] {
		someone.open(path).want(t, http.StatusOK).says(t, en("cmd.close_now"))
	}
}

// TestChange_EditedElsewhere changes a ballot that another instance has just
// edited.
func TestChange_EditedElsewhere(t *testing.T) {
	w := start(t, tuning{})
	b := w.ballot(teaOrCoffee())
	asked := 0
	w.faults.set(func(f *faults) {
		f.change = func() error {
			if asked++; asked%2 == 0 {
				return nil
			}
			return oponn.Retryable(oponn.CodeBusy, time.Second, oponn.ErrStale, "This ballot has just been changed.")
		}
	})
	w.patch(b, "", `{"status":"closed"}`).want(t, http.StatusOK)
	owner := w.browser()
	owner.submit("/ballots/"+b.ID+"/manage", fields("owner_key", b.OwnerKey))
	owner.act("/ballots/"+b.ID, "open").want(t, http.StatusOK).says(t, en("manage.done.open"))
	if asked != 4 {
		t.Errorf("two changes were tried %d times", asked)
	}
}

func TestManagePage_WriteIns(t *testing.T) {
	w := start(t, tuning{})
	owner, voter := w.browser(), w.browser()
	path := owner.makeBallot("write_ins", "moderated")
	voter.submit(path+"/votes", fields("choice", "write_in", "write_in", "mate", "vote_id", voter.open(path).value("vote_id"))).
		want(t, http.StatusOK).hides(t, "mate")
	option := owner.open(path+"/manage").says(t, "mate", en("result.pending_mark")).value("option")
	owner.act(path, "show", "option", option).want(t, http.StatusOK).says(t, en("manage.done.show"))
	voter.open(path+"/results").says(t, "mate")
	owner.act(path, "hide", "option", option).want(t, http.StatusOK).says(t, en("manage.done.hide"), "mate")
	voter.open(path+"/results").hides(t, "mate").says(t, en("result.hidden_option"))
	owner.act(path, "hide", "option", "1").want(t, http.StatusUnprocessableEntity)
	owner.act(path, "hide", "option", "wAAAAAAAAAAA").want(t, http.StatusNotFound)
}

func TestManageLink_IsShownToWhoeverMadeTheBallot(t *testing.T) {
	w := start(t, tuning{})
	owner := w.browser()
	path := owner.makeBallot("visibility", "owner")
	made := owner.open(path + "/results?created=1")
	_, rest, found := strings.Cut(made.body, path+"/manage#")
	key, _, _ := strings.Cut(rest, `"`)
	if !found || len(key) != 43 {
		t.Fatalf("the manage link is missing: %s", made.text())
	}
	if later := owner.open(path + "/results"); strings.Contains(later.body, key) {
		t.Error("the key is shown again and again")
	}
	if theirs := w.browser().open(path + "/results?created=1"); strings.Contains(theirs.body, key) {
		t.Error("somebody else sees the key")
	}
	elsewhere := w.browser()
	elsewhere.open(path+"/results").says(t, en("result.hidden.owner"))
	elsewhere.submit(path+"/manage", fields("owner_key", key)).want(t, http.StatusOK)
	elsewhere.open(path+"/results").hides(t, en("result.hidden.owner")).says(t, en("cmd.manage"))
}

func TestNewBallot_LikeAnother(t *testing.T) {
	w := start(t, tuning{})
	b := w.browser()
	path := b.makeBallot("options", "water", "kind", "approval", "choices_max", "2", "visibility", "owner", "retention_days", "7", "write_ins", "moderated")
	p := b.open("/new?from="+strings.TrimPrefix(path, "/ballots/")).want(t, http.StatusOK)
	if p.value("question") != "Tea or coffee?" || p.values("options")[2] != "water" || p.selected("kind") != "approval" || p.value("choices_max") != "2" ||
		p.selected("visibility") != "owner" || p.value("retention_days") != "7" || p.selected("write_ins") != "moderated" {
		t.Errorf("the form is %s", p.body)
	}
	b.open("/new?from="+oponn.NewBallotID().String()).want(t, http.StatusNotFound)
	b.open("/new?from=x").want(t, http.StatusNotFound)
}

func TestReceiptPage(t *testing.T) {
	w := start(t, tuning{})
	path := w.browser().makeBallot("allow_change", "on", "visibility", "owner")
	voter := w.browser()
	cast := func(form page, option string) string {
		return receiptOf(voter.submit(path+"/votes", fields("vote_id", form.value("vote_id"), "choice", option)).want(t, http.StatusOK))
	}
	first := cast(voter.open(path), "1")
	anybody := w.browser()
	anybody.open(path+"/receipts/"+first).want(t, http.StatusOK).says(t, en("receipt.is_counted"), first).hides(t, "coffee ")
	second := cast(voter.open(path+"?change=1"), "2")
	anybody.open(path+"/receipts/"+first).want(t, http.StatusOK).says(t, en("receipt.replaced"))
	anybody.open(path+"/receipts/"+second).want(t, http.StatusOK).says(t, en("receipt.is_counted"))
	anybody.open(path+"/receipts/x").want(t, http.StatusNotFound)
}
