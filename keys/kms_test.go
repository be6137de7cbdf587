package keys_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/keys/keystest"
	"github.com/oponn/oponn/keys/kmstest"
)

// services are the key management services at hand: ours always, LocalStack
// where a container engine answers.
func services(t *testing.T) map[string]keys.KMSConfig {
	t.Helper()
	server := kmstest.Start(t)
	server.CreateKey("alias/oponn")
	found := map[string]keys.KMSConfig{"InProcess": config(server, "alias/oponn")}
	if engineAnswers(t.Context()) {
		found["LocalStack"] = startLocalStack(t)
	}
	return found
}

func TestKMS_Conformance(t *testing.T) {
	for name, cfg := range services(t) {
		t.Run(name, func(t *testing.T) {
			kek := mustOpenKMS(t, cfg)
			keystest.Run(t, func(*testing.T) oponn.Keyring { return newRing(kek) })
			t.Run("Adopted", func(t *testing.T) {
				keystest.Run(t, func(t *testing.T) oponn.Keyring { return adopting(t, kek) })
			})
		})
	}
}

func TestKMS_IDIsTheARNHoweverTheKeyWasNamed(t *testing.T) {
	server := kmstest.Start(t)
	arn := server.CreateKey("alias/oponn")
	prefix := arn[:strings.LastIndex(arn, ":")+1]
	for _, name := range []string{"alias/oponn", arn, arn[strings.LastIndex(arn, "/")+1:], prefix + "alias/oponn"} {
		if got := mustOpenKMS(t, config(server, name)).ID(); got != arn {
			t.Errorf("the id of %s is %s, want %s", name, got, arn)
		}
	}
}

func TestKMS_OpenTellsWhatCannotWork(t *testing.T) {
	server := kmstest.Start(t)
	off, gone := server.CreateKey("alias/off"), server.CreateKey("alias/gone")
	server.Disable(off)
	server.ScheduleDeletion(gone)
	server.CreateKey("alias/oponn")
	for name, test := range map[string]struct {
		cfg   keys.KMSConfig
		fault kmstest.Fault
		code  oponn.Code
		says  string
	}{
		"no key":     {config(server, ""), kmstest.Fault{}, oponn.CodeInternal, "OPONN_KMS_KEY_ID"},
		"unknown":    {config(server, "alias/other"), kmstest.Fault{}, oponn.CodeKeysUnavailable, "alias/other"},
		"disabled":   {config(server, "alias/off"), kmstest.Fault{}, oponn.CodeInternal, "Disabled"},
		"leaving":    {config(server, "alias/gone"), kmstest.Fault{}, oponn.CodeInternal, "PendingDeletion"},
		"no region":  {keys.KMSConfig{KeyID: "alias/oponn", Endpoint: server.URL, Credentials: anybody}, kmstest.Fault{}, oponn.CodeInternal, "AWS_REGION"},
		"no decrypt": {config(server, "alias/oponn"), kmstest.Fault{Op: "Decrypt", Code: "AccessDeniedException"}, oponn.CodeKeysUnavailable, "Decrypt"},
		"down":       {config(server, "alias/oponn"), kmstest.Down, oponn.CodeKeysUnavailable, "DescribeKey"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_REGION", "")
			t.Setenv("AWS_DEFAULT_REGION", "")
			t.Setenv("AWS_CONFIG_FILE", "/dev/null")
			if test.fault != (kmstest.Fault{}) {
				server.Fail(test.fault)
				defer server.Heal()
			}
			_, err := keys.OpenKMS(t.Context(), test.cfg)
			wantCode(t, err, test.code)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v does not say %q", err, test.says)
			}
		})
	}
}

func TestKMS_EnvironmentIsEnough(t *testing.T) {
	server := kmstest.Start(t)
	arn := server.CreateKey("alias/oponn")
	for _, line := range server.Env("alias/oponn") {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	if kek := mustOpenKMS(t, keys.KMSConfig{KeyID: "alias/oponn"}); kek.ID() != arn {
		t.Errorf("the id is %s, want %s", kek.ID(), arn)
	}
}

func TestKMS_OneCallForAllWhoAskAtOnce(t *testing.T) {
	server, kek := openKMS(t)
	ring := newRing(kek)
	ballot := sealBallot(t, ring)
	ring.Forget(ballot.id)
	before := server.Calls("Decrypt")
	server.Fail(kmstest.Fault{Op: "Decrypt", Delay: 200 * time.Millisecond})
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { ballot.wantOpens(t, ring) })
	}
	all.Wait()
	if n := server.Calls("Decrypt") - before; n != 1 {
		t.Errorf("100 opens made %d calls, want 1", n)
	}
}

func TestKMS_MaterialMayRotateUnderTheSameARN(t *testing.T) {
	server, kek := openKMS(t)
	old := sealBallot(t, newRing(kek))
	server.Rotate("alias/oponn")
	old.wantOpens(t, newRing(kek))
	if same := mustOpenKMS(t, config(server, "alias/oponn")); same.ID() != kek.ID() {
		t.Errorf("the id changed from %s to %s", kek.ID(), same.ID())
	}
}

func TestKMS_PrintsItsNameOnly(t *testing.T) {
	_, kek := openKMS(t)
	want := "keys.KMSKEK(" + kek.ID() + ", redacted)"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if got := fmt.Sprintf(verb, kek); got != want {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got := kek.LogValue().String(); got != want {
		t.Errorf("the log gets %s", got)
	}
}
