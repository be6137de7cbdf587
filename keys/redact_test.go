package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestRedaction_NoWayToPrintShowsASecret(t *testing.T) {
	key, d := knownKey(t)
	local, err := newLocalKEK(bytes.Repeat([]byte{0x5a}, 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []any{key, d, local} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%08b", "%o", "%c", "%U", "%e", "%t"} {
			if got := fmt.Sprintf(verb, secret); !strings.HasSuffix(got, "redacted)") {
				t.Errorf("%s of a %T prints %s", verb, secret, got)
			}
		}
		if got := fmt.Sprint(secret); got != secret.(fmt.Stringer).String() || got != secret.(fmt.GoStringer).GoString() {
			t.Errorf("a %T prints %s", secret, got)
		}
		if got, err := json.Marshal(secret); err != nil || string(got) != "{}" {
			t.Errorf("a %T is %s in JSON, %v", secret, got, err)
		}
		for name, got := range logged(secret) {
			if !strings.Contains(got, "redacted)") {
				t.Errorf("%s of a %T: %s", name, secret, got)
			}
		}
	}
}

// A secret inside something else is printed by reflection, past its methods.
func TestRedaction_HoldsInsideOtherValues(t *testing.T) {
	key, d := knownKey(t)
	ring := NewRing(fixed(DEKSize))
	ballot, wrapped := mustCreate(t, ring)
	local, err := newLocalKEK(bytes.Repeat([]byte("K"), 32))
	if err != nil {
		t.Fatal(err)
	}
	inside := []any{
		struct{ key *dataKey }{key}, struct{ kek *LocalKEK }{local}, NewRing(local), []any{key}, map[string]any{"key": key},
		entry{key: key}, &flight{key: key}, ring, *ring, ring.cache, mustOpen(t, ring, ballot, wrapped),
	}
	secrets := [][]byte{bytes.Repeat([]byte{'S'}, 8), []byte("\x00\x01\x02\x03\x04\x05\x06\x07")}
	secrets = append(secrets, bytes.Repeat([]byte("K"), 8))
	for _, label := range []string{labelSeal, labelVoterTag, labelWriteIn, labelLocator, labelLocatorIV} {
		secrets = append(secrets, d.expand(label)[:8])
	}
	for _, value := range inside {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
			got := fmt.Sprintf(verb, value)
			for _, secret := range secrets {
				for _, form := range []string{"%v", "%x", "%s", "%#v"} {
					if strings.Contains(got, strings.Trim(fmt.Sprintf(form, secret), "[]")) {
						t.Errorf("%s of a %T shows a secret: %s", verb, value, got)
					}
				}
			}
		}
	}
}

// logged returns a value as slog's two handlers write it.
func logged(value any) map[string]string {
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("test", "value", value)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("test", "value", value)
	return map[string]string{"text": text.String(), "JSON": js.String()}
}
