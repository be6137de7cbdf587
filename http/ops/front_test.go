package ops_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn/http/ops"
)

func TestFront_TellsHowFarTheStartIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := ops.NewFront("", nil)
		want := func(status int, text string) {
			t.Helper()
			if w := get(f, "http://localhost/readyz"); w.Code != status || w.Body.String() != text {
				t.Errorf("readyz: %d\n%s\nwant %d\n%s", w.Code, w.Body, status, text)
			}
			if w := get(f, "http://localhost/healthz"); w.Code != http.StatusOK {
				t.Errorf("healthz: %d, want 200 all the time", w.Code)
			}
		}
		want(503, "starting\n")
		f.Step("keys")
		time.Sleep(250 * time.Millisecond) // virtual time
		f.Step("database")
		want(503, "starting\nkeys: took 250ms\ndatabase: since 2000-01-01T00:00:00Z\n")
		f.Hinder(errors.New("waiting for the database: nobody there"))
		want(503, "starting\nkeys: took 250ms\ndatabase: waiting for the database: nobody there (since 2000-01-01T00:00:00Z)\n")
		time.Sleep(2 * time.Second) // virtual time
		f.Step("migrations")
		want(503, "starting\nkeys: took 250ms\ndatabase: took 2s\nmigrations: since 2000-01-01T00:00:02Z\n")

		var got struct {
			Status string
			Steps  []struct{ Name, Since, Took, Error string }
		}
		if err := json.Unmarshal(get(f, "http://localhost/readyz", "Accept", "application/json").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Status != "starting" || len(got.Steps) != 3 || got.Steps[1].Took != "2s" || got.Steps[2].Name != "migrations" {
			t.Errorf("as JSON: %+v", got)
		}

		f.Open(ops.New(ops.Config{Parts: []ops.Part{{Name: "store", Needed: true, Check: fine}}}))
		want(200, "ready\nstore: ok\n")
	})
}

func TestFront_HostsWhileStarting(t *testing.T) {
	f := ops.NewFront("127.0.0.1:8081", nil)
	if w := get(f, "http://evil.example/readyz"); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("status %d", w.Code)
	}
}
