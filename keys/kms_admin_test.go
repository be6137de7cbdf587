package keys_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/keys/kmstest"
)

func TestInitKMS_MakesWhatIsMissingOnce(t *testing.T) {
	server := kmstest.Start(t)
	var first string
	for _, alias := range []string{"alias/oponn", "oponn", "alias/oponn"} {
		id, err := keys.InitKMS(t.Context(), config(server, ""), alias)
		if err != nil || !strings.HasPrefix(id, "arn:") {
			t.Fatalf("got %q, %v", id, err)
		}
		if first == "" {
			first = id
		}
		if id != first {
			t.Errorf("the key changed from %s to %s", first, id)
		}
	}
	if n := server.Calls("CreateKey"); n != 1 {
		t.Errorf("%d keys were made, want 1", n)
	}
	for _, name := range []string{first, "alias/oponn"} {
		if kek := mustOpenKMS(t, config(server, name)); kek.ID() != first {
			t.Errorf("%s opens %s", name, kek.ID())
		}
	}
}

func TestInitKMS_RacingOnesAgree(t *testing.T) {
	server := kmstest.Start(t)
	server.Fail(kmstest.Fault{Op: "DescribeKey", Times: 8, Delay: 20 * time.Millisecond})
	found := make([]string, 8)
	var all sync.WaitGroup
	for i := range found {
		all.Go(func() {
			var err error
			if found[i], err = keys.InitKMS(t.Context(), config(server, ""), "oponn"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range found {
		if id == "" || id != found[0] {
			t.Fatalf("they found %v", found)
		}
	}
	if made, left := server.Calls("CreateKey"), server.Calls("ScheduleKeyDeletion"); made-left != 1 {
		t.Errorf("%d keys were made and %d given up: one has to be left", made, left)
	}
}

func TestInitKMS_TellsWhatCannotWork(t *testing.T) {
	server := kmstest.Start(t)
	server.CreateKey("alias/oponn")
	server.Disable("alias/oponn")
	if _, err := keys.InitKMS(t.Context(), config(server, ""), "oponn"); err == nil || !strings.Contains(err.Error(), "Disabled") {
		t.Errorf("a disabled key: %v", err)
	}
	for _, op := range []string{"DescribeKey", "CreateKey", "EnableKeyRotation", "CreateAlias"} {
		server.Fail(kmstest.Fault{Op: op, Code: "AccessDeniedException"})
		_, err := keys.InitKMS(t.Context(), config(server, ""), "other")
		wantDenied(t, err, true)
		if err == nil || !strings.Contains(err.Error(), op) {
			t.Errorf("%v does not name %s", err, op)
		}
		server.Heal()
	}
}

func TestStatusKMS_DescribesTheKey(t *testing.T) {
	server := kmstest.Start(t)
	arn, err := keys.InitKMS(t.Context(), config(server, ""), "oponn")
	if err != nil {
		t.Fatal(err)
	}
	status := func() keys.KMSStatus {
		t.Helper()
		s, err := keys.StatusKMS(t.Context(), config(server, "alias/oponn"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := status()
	if s.ARN != arn || s.State != "Enabled" || !s.Usable || !s.Rotating || s.RotationDays != 365 ||
		time.Since(s.Created).Abs() > time.Minute || s.NextRotation.Before(s.Created) || !s.Deletion.IsZero() {
		t.Errorf("a fresh key is %+v", s)
	}
	server.Disable(arn)
	if s := status(); s.State != "Disabled" || s.Usable {
		t.Errorf("a disabled key is %+v", s)
	}
	server.ScheduleDeletion(arn)
	if s := status(); s.State != "PendingDeletion" || s.Usable || s.Deletion.Before(time.Now()) {
		t.Errorf("a key to be deleted is %+v", s)
	}
	server.Delete(arn)
	_, err = keys.StatusKMS(t.Context(), config(server, arn))
	wantDenied(t, err, true)
}
