package main_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// starting is the line of the log that says where operators can ask how far the
// start is.
var starting = regexp.MustCompile(`"msg":"starting".*"ops":"(127\.0\.0\.1:[1-9]\d*)"`)

// TestCluster_SaysHowFarTheStartIs starts an instance without a database, and
// the database after it.
func TestCluster_SaysHowFarTheStartIs(t *testing.T) {
	c := newCluster(t)
	postgres := pgtest.NewServer(t)
	c.database = postgres.URL()
	postgres.Crash(t)
	addr := reservePort(t)
	s := c.program.launch(t, filepath.Join(t.TempDir(), "data"), append(c.settings(), "OPONN_ADDR="+addr, "OPONN_PUBLIC_URL=http://"+addr)...)
	eventually(t, "it says where operators can ask", func() bool {
		s.mustRun(t)
		found := starting.FindStringSubmatch(s.stderr.String())
		if found != nil {
			s.ops = "http://" + found[1]
		}
		return found != nil
	})
	eventually(t, "it waits for the database", func() bool {
		s.mustRun(t)
		status, body := fetch(t, s.ops+"/readyz")
		return status == http.StatusServiceUnavailable && strings.HasPrefix(body, "starting\nkeys: took ") && strings.Contains(body, "\ndatabase: waiting for the database: ")
	})
	if status, body := fetch(t, s.ops+"/healthz"); status != http.StatusOK || body != "healthy\n" {
		t.Errorf("healthz: %d %s", status, body)
	}
	if status, _ := fetch(t, "http://"+addr+"/"); status != 0 {
		t.Errorf("the world gets an answer with status %d already", status)
	}
	postgres.Start(t)
	wantReady(t, s, http.StatusOK, "ready")
	eventually(t, "it says where it serves", func() bool { return s.readAddresses("") })
	castVotes(t, s, createBallot(t, s, "Up?", "yes", "no"), 2)

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.ops+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var report struct {
		Status string
		Parts  []struct {
			Name       string
			Needed, OK bool
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&report); err != nil {
		t.Fatal(err)
	}
	needed := 0
	for _, part := range report.Parts {
		if !part.OK {
			t.Errorf("%s is not well", part.Name)
		}
		if part.Needed {
			needed++
		}
	}
	if report.Status != "ready" || len(report.Parts) != 7 || needed != 3 {
		t.Errorf("the report is %+v", report)
	}
	wantGoodEnd(t, s)
}
