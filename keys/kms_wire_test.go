package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/oponn/oponn/keys"
)

// everyWayToPrint returns an error and its causes in the usual verbs.
func everyWayToPrint(err error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for ; err != nil; err = errors.Unwrap(err) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				if !yield(fmt.Sprintf(verb, err)) {
					return
				}
			}
		}
	}
}

// Everything this package does with KMS, and not one request has a DEK in it.
func TestKMS_NoDataKeyLeavesTheProcess(t *testing.T) {
	server, kms := openKMS(t)
	server.CreateKey("alias/second")
	second := mustOpenKMS(t, config(server, "alias/second"))
	local, err := keys.OpenLocal(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	made := sealBallot(t, newRing(local))
	dek, err := local.Unwrap(t.Context(), made.id, local.ID(), made.wrapped.Blob)
	if err != nil {
		t.Fatal(err)
	}
	made.rewrap(t, newRing(kms, keys.WithFormer(local)))
	made.rewrap(t, newRing(second, keys.WithFormer(kms)))
	made.wantOpens(t, newRing(second))
	own := sealBallot(t, newRing(kms))
	own.rewrap(t, newRing(second, keys.WithFormer(kms)))
	own.wantOpens(t, newRing(second))

	secrets := [][]byte{dek}
	for _, r := range server.Requests() {
		var answer struct{ Plaintext []byte }
		if json.Unmarshal(r.Response, &answer) == nil && answer.Plaintext != nil {
			secrets = append(secrets, answer.Plaintext)
		}
	}
	if len(secrets) < 8 {
		t.Fatalf("only %d data keys were seen: the test looks in the wrong place", len(secrets))
	}
	for _, r := range server.Requests() {
		for _, secret := range secrets {
			for _, form := range []string{string(secret), hex.EncodeToString(secret),
				base64.RawStdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret)} {
				if bytes.Contains(r.Body, []byte(form)) {
					t.Errorf("a request of %s carries a data key", r.Op)
				}
			}
		}
	}
	for _, r := range server.Requests() { // the local DEK is in no answer either
		if bytes.Contains(r.Response, []byte(base64.StdEncoding.EncodeToString(dek))) {
			t.Errorf("KMS knows the local data key: %s", r.Op)
		}
	}
	if n := server.Calls("Encrypt"); n != 0 {
		t.Errorf("%d data keys were sent to be encrypted", n)
	}
}
