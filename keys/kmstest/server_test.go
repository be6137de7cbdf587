package kmstest_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/oponn/oponn/keys/kmstest"
)

// start returns a server and the real client, set up as another process would
// be: by the environment alone.
func start(t *testing.T) (*kmstest.Server, *kms.Client) {
	t.Helper()
	server := kmstest.Start(t)
	for _, line := range server.Env("alias/oponn") {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return server, kms.NewFromConfig(cfg)
}

func must[Out any](t *testing.T) func(*Out, error) *Out {
	return func(out *Out, err error) *Out {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestServer_ContextsAndKeysAreEnforced(t *testing.T) {
	server, client := start(t)
	a, b := server.CreateKey("alias/a"), server.CreateKey("alias/b")
	ctx, right, wrong := t.Context(), map[string]string{"ballot": "1", "x": "y"}, map[string]string{"ballot": "2", "x": "y"}
	sealed := must[kms.EncryptOutput](t)(client.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String("alias/a"),
		Plaintext: []byte("secret"), EncryptionContext: right})).CiphertextBlob
	for _, id := range []*string{nil, &a, aws.String("alias/a")} {
		out := must[kms.DecryptOutput](t)(client.Decrypt(ctx, &kms.DecryptInput{KeyId: id, CiphertextBlob: sealed, EncryptionContext: right}))
		if string(out.Plaintext) != "secret" || *out.KeyId != a {
			t.Errorf("got %q of %s", out.Plaintext, *out.KeyId)
		}
	}
	for _, context := range []map[string]string{nil, wrong} {
		_, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed, EncryptionContext: context})
		wantCode(t, err, "InvalidCiphertextException")
	}
	_, err := client.Decrypt(ctx, &kms.DecryptInput{KeyId: &b, CiphertextBlob: sealed, EncryptionContext: right})
	wantCode(t, err, "IncorrectKeyException")
	for bit := range 8 * len(sealed) {
		damaged := bytes.Clone(sealed)
		damaged[bit/8] ^= 1 << (bit % 8)
		_, err := client.Decrypt(ctx, &kms.DecryptInput{KeyId: &a, CiphertextBlob: damaged, EncryptionContext: right})
		wantCode(t, err, "InvalidCiphertextException")
	}
	_, err = client.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: sealed, DestinationKeyId: &b, SourceEncryptionContext: wrong})
	wantCode(t, err, "InvalidCiphertextException")
	moved := must[kms.ReEncryptOutput](t)(client.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: sealed, DestinationKeyId: &b,
		SourceEncryptionContext: right, DestinationEncryptionContext: wrong}))
	if *moved.SourceKeyId != a || *moved.KeyId != b {
		t.Errorf("moved from %s to %s", *moved.SourceKeyId, *moved.KeyId)
	}
	out := must[kms.DecryptOutput](t)(client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: moved.CiphertextBlob, EncryptionContext: wrong}))
	if string(out.Plaintext) != "secret" {
		t.Errorf("got %q", out.Plaintext)
	}
}

func TestServer_AliasesMove(t *testing.T) {
	server, client := start(t)
	a, b := server.CreateKey("alias/oponn"), server.CreateKey()
	ctx, alias := t.Context(), aws.String("alias/oponn")
	_, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: &b})
	wantCode(t, err, "AlreadyExistsException")
	must[kms.UpdateAliasOutput](t)(client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: alias, TargetKeyId: &b}))
	_, err = client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: aws.String("alias/none"), TargetKeyId: &b})
	wantCode(t, err, "NotFoundException")
	if got := must[kms.DescribeKeyOutput](t)(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias})); *got.KeyMetadata.Arn != b {
		t.Errorf("the alias is of %s, want %s", *got.KeyMetadata.Arn, b)
	}
	for id, want := range map[*string]int{nil: 1, &a: 0, &b: 1} {
		if got := must[kms.ListAliasesOutput](t)(client.ListAliases(ctx, &kms.ListAliasesInput{KeyId: id})); len(got.Aliases) != want {
			t.Errorf("%d aliases, want %d", len(got.Aliases), want)
		}
	}
}

func TestServer_KeysAreTurnedOffAndOn(t *testing.T) {
	server, client := start(t)
	key := server.CreateKey()
	ctx := t.Context()
	use := func() error {
		_, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256"})
		return err
	}
	must[kms.DisableKeyOutput](t)(client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &key}))
	wantCode(t, use(), "DisabledException")
	must[kms.EnableKeyOutput](t)(client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &key}))
	if err := use(); err != nil {
		t.Error(err)
	}
	must[kms.ScheduleKeyDeletionOutput](t)(client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &key}))
	wantCode(t, use(), "KMSInvalidStateException")
	server.Delete(key)
	wantCode(t, use(), "NotFoundException")
	if n := server.Calls("GenerateDataKey"); n != 4 || server.Calls("") != 7 {
		t.Errorf("%d calls were counted, want 4", n)
	}
}

func TestServer_AnswersOnlyWhatItKnows(t *testing.T) {
	server := kmstest.Start(t)
	for target, want := range map[string]string{
		"":                      "UnknownOperationException",
		"TrentService.Sign":     "UnknownOperationException",
		"TrentService.Decrypt":  "MissingAuthenticationTokenException",
		"DynamoDB.DescribeKeys": "UnknownOperationException",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Target", target)
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(body.String(), want) {
			t.Errorf("%q gives %d: %s", target, response.StatusCode, body.String())
		}
	}
}

func TestServer_ClosesWhileCallsAreUnderWay(t *testing.T) {
	server, client := start(t)
	key := server.CreateKey()
	server.Fail(kmstest.Fault{Delay: time.Hour})
	done := make(chan error)
	go func() {
		_, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key}, func(o *kms.Options) { o.RetryMaxAttempts = 1 })
		done <- err
	}()
	for server.Calls("") == 0 {
		select {
		case err := <-done:
			t.Fatal(err)
		default:
		}
	}
	server.Close()
	server.Close()
	if err := <-done; err == nil {
		t.Error("a closed server answered")
	}
}
