package main_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	domain "github.com/oponn/oponn"
)

// TestVerify_Codes votes by two codes of three, and takes codes away: one that
// was used and is missing is found.
func TestVerify_Codes(t *testing.T) {
	t.Parallel()
	original := filepath.Join(t.TempDir(), "data")
	s := serve(t, original)
	var made struct {
		ID       string
		OwnerKey string `json:"owner_key"`
	}
	text := wantStatus(t, http.StatusCreated)(api(t, s, http.MethodPost, "", "", map[string]any{"question": "Tea?", "options": []string{"yes", "no"}, "protection": "codes"}))
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	var codes struct{ Codes []string }
	text = wantStatus(t, http.StatusCreated)(api(t, s, http.MethodPost, "/"+made.ID+"/codes", made.OwnerKey, map[string]int{"count": 3}))
	if err := json.Unmarshal([]byte(text), &codes); err != nil || len(codes.Codes) != 3 {
		t.Fatalf("codes %s: %v", text, err)
	}
	for _, code := range codes.Codes[:2] {
		wantStatus(t, http.StatusCreated)(api(t, s, http.MethodPost, "/"+made.ID+"/votes", "", map[string]any{"code": code, "choices": []string{"1"}},
			"Idempotency-Key", domain.NewVoteID().String()))
	}
	s.stop(t)
	mustVerify(t, original, "ok")

	const used = "SELECT tag FROM votes WHERE votes.ballot = codes.ballot"
	for name, tt := range map[string]struct{ statement, says string }{
		"Unused": {"DELETE FROM codes WHERE tag NOT IN (" + used + ")", ""},
		"Used":   {"DELETE FROM codes WHERE tag = (" + used + " ORDER BY position LIMIT 1)", "voters without a code: 1 of 2"},
		"All":    {"DELETE FROM codes", "voters without a code: 2 of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			dataDir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dataDir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dataDir, "master.key"), 0o600); err != nil {
				t.Fatal(err)
			}
			change(t, filepath.Join(dataDir, "oponn.db"), tt.statement)
			if tt.says == "" {
				mustVerify(t, dataDir, "ok")
				return
			}
			code, stdout, stderr := oponn(t, dataDir, nil, "verify", made.ID)
			if code != 1 || !strings.Contains(stdout, "BAD  "+made.ID) || !strings.Contains(stdout, tt.says) {
				t.Errorf("exit code %d, want 1 and %q; got:\n%s%s", code, tt.says, stdout, stderr)
			}
		})
	}
}
