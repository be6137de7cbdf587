package keys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/keys/kmstest"
)

func TestKMS_EveryFaultHasACodeAndAState(t *testing.T) {
	const away, damaged = oponn.CodeKeysUnavailable, oponn.CodeInternal
	const no = away // with oponn.ErrKeyDenied
	for name, test := range map[string]struct {
		inject func(*kmstest.Server)
		code   oponn.Code
		state  keys.HealthState
		reason string
	}{
		"refused connection": {func(s *kmstest.Server) { s.Close() }, away, keys.HealthUnreachable, "network"},
		"dropped":            {fail(kmstest.Down), away, keys.HealthUnreachable, "network"},
		"slow":               {fail(kmstest.Fault{Delay: time.Hour}), away, keys.HealthUnreachable, "timeout"},
		"throttled":          {fail(kmstest.Throttled), away, keys.HealthUnreachable, "ThrottlingException"},
		"broken":             {fail(kmstest.Broken), away, keys.HealthUnreachable, "KMSInternalException"},
		"key material away":  {fail(kmstest.Fault{Code: "KeyUnavailableException"}), away, keys.HealthUnreachable, "KeyUnavailableException"},
		"bad gateway":        {fail(kmstest.Fault{Code: "What", Status: 502}), away, keys.HealthUnreachable, "What"},
		"not KMS at all":     {fail(kmstest.Fault{Garbage: "<html>"}), away, keys.HealthUnreachable, "network"},
		"access denied":      {fail(kmstest.Denied), no, keys.HealthDenied, "AccessDeniedException"},
		"expired token":      {fail(kmstest.Fault{Code: "ExpiredTokenException"}), no, keys.HealthDenied, "ExpiredTokenException"},
		"never heard of":     {fail(kmstest.Fault{Code: "NewException"}), no, keys.HealthDenied, "NewException"},
		"disabled":           {func(s *kmstest.Server) { s.Disable("alias/oponn") }, no, keys.HealthDenied, "DisabledException"},
		"to be deleted":      {func(s *kmstest.Server) { s.ScheduleDeletion("alias/oponn") }, no, keys.HealthDenied, "KMSInvalidStateException"},
		"deleted":            {func(s *kmstest.Server) { s.Delete("alias/oponn") }, no, keys.HealthDenied, "NotFoundException"},
		"invalid ciphertext": {fail(kmstest.Fault{Code: "InvalidCiphertextException"}), damaged, keys.HealthOK, ""},
		"incorrect key":      {fail(kmstest.Fault{Code: "IncorrectKeyException"}), damaged, keys.HealthOK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := kmstest.Start(t)
			server.CreateKey("alias/oponn")
			cfg := config(server, "alias/oponn")
			if name == "slow" {
				cfg.Deadline = 0 // the default
			}
			kek := mustOpenKMS(t, cfg)
			ballot := sealBallot(t, newRing(kek))
			if h := kek.Health(); h != (keys.Health{State: keys.HealthOK}) {
				t.Fatalf("it begins as %+v", h)
			}
			calls := server.Calls("")
			test.inject(server)
			began := time.Now()
			within(t, patience/2, func() {
				err := ballot.wantFails(t, newRing(kek), test.code)
				wantDenied(t, err, test.state == keys.HealthDenied)
			})
			if n := server.Calls("") - calls; test.state != keys.HealthUnreachable && n != 1 {
				t.Errorf("a refusal took %d calls: it must not be retried", n)
			}
			within(t, patience/2, func() {
				_, key, err := newRing(kek).Create(t.Context(), oponn.NewBallotID())
				wantCode(t, err, test.code)
				wantDenied(t, err, test.state == keys.HealthDenied)
				if key != nil {
					t.Error("got a key with the error")
				}
			})
			h := kek.Health()
			if h.State != test.state || h.Reason != test.reason || h.State != keys.HealthOK && h.Since.Before(began) {
				t.Errorf("the health is %+v, want %s (%s)", h, test.state, test.reason)
			}
		})
	}
}

// wantDenied wants a key that may not be used told from one that can't be had.
func wantDenied(t *testing.T, err error, want bool) {
	t.Helper()
	if got := errors.Is(err, oponn.ErrKeyDenied); got != want {
		t.Errorf("%v is a denial: %v, want %v", err, got, want)
	}
}

func fail(f kmstest.Fault) func(*kmstest.Server) { return func(s *kmstest.Server) { s.Fail(f) } }

func TestKMS_RidesOverOneFault(t *testing.T) {
	for name, fault := range map[string]kmstest.Fault{"throttled": kmstest.Throttled, "broken": kmstest.Broken, "dropped": kmstest.Down} {
		t.Run(name, func(t *testing.T) {
			server, kek := openKMS(t)
			ballot := sealBallot(t, newRing(kek))
			fault.Times = 1
			server.Fail(fault)
			ballot.wantOpens(t, newRing(kek))
			if h := kek.Health(); h.State != keys.HealthOK {
				t.Errorf("the health is %+v", h)
			}
		})
	}
}

func TestKMS_OpenedKeysGoOnDuringAnOutageAndNewOnesFailFast(t *testing.T) {
	server := kmstest.Start(t)
	server.CreateKey("alias/oponn")
	cfg := config(server, "alias/oponn")
	cfg.Deadline = keys.DefaultDeadline
	kek := mustOpenKMS(t, cfg)
	ring := newRing(kek, keys.WithCacheAge(time.Nanosecond)) // every Open is a refresh
	asleep := sealBallot(t, ring)
	ring.Forget(asleep.id)
	awake := sealBallot(t, ring)
	server.Fail(kmstest.Fault{Delay: time.Hour})
	within(t, patience/2, func() {
		for range 20 {
			awake.wantOpens(t, ring)
		}
	})
	for range 6 { // the breaker learns
		asleep.wantFails(t, ring, oponn.CodeKeysUnavailable)
	}
	server.Heal()
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for kek.Probe(t.Context()) != nil { // until the breaker lets one through
		if waiting.Err() != nil {
			t.Fatal("KMS is back, and is not asked")
		}
	}
	asleep.wantOpens(t, ring)
	awake.wantOpens(t, ring)
}

func TestKMS_ADeniedKeyIsDroppedAtOnceAndLoudly(t *testing.T) {
	var book logBook
	server := kmstest.Start(t)
	server.CreateKey("alias/oponn")
	cfg := config(server, "alias/oponn")
	cfg.Logger = book.logger()
	kek := mustOpenKMS(t, cfg)
	ring := newRing(kek, keys.WithCacheAge(time.Nanosecond))
	ballot := sealBallot(t, ring)
	ballot.wantOpens(t, ring)

	server.Disable("alias/oponn")
	for range 3 {
		wantDenied(t, ballot.wantFails(t, ring, oponn.CodeKeysUnavailable), true)
	}
	if n := book.count("level=ERROR"); n != 1 || book.count(ballot.id.String()) == 0 || book.count("DisabledException") == 0 {
		t.Errorf("the log has %d errors: %s", n, book.text.String())
	}
	server.Fail(kmstest.Down)
	// It was dropped: there is nothing to go on with.
	wantDenied(t, ballot.wantFails(t, ring, oponn.CodeKeysUnavailable), false)
	server.Heal()
	server.Enable("alias/oponn")
	ballot.wantOpens(t, ring)
	if h := kek.Health(); h.State != keys.HealthOK || book.count("level=WARN") != 1 || book.count("level=INFO") != 2 {
		t.Errorf("in the end it is %+v, and the log says %s", h, book.text.String())
	}
}

func TestKMS_HealthIsNotHealedByTheOtherOperation(t *testing.T) {
	server, kek := openKMS(t)
	ring := newRing(kek)
	ballot := sealBallot(t, ring)
	server.Fail(kmstest.Fault{Op: "Decrypt", Code: "AccessDeniedException"})
	ring.Forget(ballot.id)
	wantDenied(t, ballot.wantFails(t, ring, oponn.CodeKeysUnavailable), true)
	since := kek.Health().Since
	sealBallot(t, ring) // GenerateDataKey works
	if h := kek.Health(); h.State != keys.HealthDenied || h.Since != since {
		t.Errorf("the health is %+v", h)
	}
	server.Heal()
	if err := kek.Probe(t.Context()); err != nil || kek.Health().State != keys.HealthOK {
		t.Errorf("after the probe (%v) the health is %+v", err, kek.Health())
	}
}

func TestKMS_ErrorsNeverShowAnAnswer(t *testing.T) {
	server, kek := openKMS(t)
	ballot := sealBallot(t, newRing(kek))
	server.Fail(kmstest.Fault{Garbage: `{"Plaintext": "U0VDUkVUU0VDUkVU", oops`})
	err := ballot.wantFails(t, newRing(kek), oponn.CodeKeysUnavailable)
	wantNoTrace(t, err, "U0VDUkVU", "SECRETSECRET")
}

func wantNoTrace(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for text := range everyWayToPrint(err) {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the error shows the answer: %s", text)
			}
		}
	}
}
