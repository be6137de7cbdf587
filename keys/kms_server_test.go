package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
	"github.com/oponn/oponn/keys/kmstest"
)

var anybody = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
})

// patience is a deadline that a busy machine keeps.
const patience = 10 * time.Second

func newRing(kek keys.KEK, options ...keys.Option) *keys.Ring {
	return keys.NewRing(kek, append([]keys.Option{keys.WithDeadline(patience)}, options...)...)
}

func config(server *kmstest.Server, keyID string) keys.KMSConfig {
	return keys.KMSConfig{KeyID: keyID, Region: kmstest.Region, Endpoint: server.URL, Credentials: anybody,
		Deadline: patience, Logger: slog.New(slog.DiscardHandler)}
}

func mustOpenKMS(t *testing.T, cfg keys.KMSConfig) *keys.KMSKEK {
	t.Helper()
	kek, err := keys.OpenKMS(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

// openKMS returns a server with one key, and the KEK over it.
func openKMS(t *testing.T) (*kmstest.Server, *keys.KMSKEK) {
	t.Helper()
	server := kmstest.Start(t)
	server.CreateKey("alias/oponn")
	return server, mustOpenKMS(t, config(server, "alias/oponn"))
}

// sealedBallot is a ballot whose data key was made by a ring.
type sealedBallot struct {
	id      oponn.BallotID
	wrapped oponn.WrappedKey
	voter   oponn.VoterID
	tag     oponn.VoterTag
	sealed  []byte
}

var question = []byte("Tea or coffee?")

func sealBallot(t *testing.T, ring *keys.Ring) sealedBallot {
	t.Helper()
	b := sealedBallot{id: oponn.NewBallotID(), voter: oponn.NewVoterID()}
	wrapped, key, err := ring.Create(t.Context(), b.id)
	if err != nil {
		t.Fatal(err)
	}
	b.wrapped, b.tag, b.sealed = wrapped, key.VoterTag(b.voter), key.Seal(nil, question, oponn.FieldDefinition)
	return b
}

// wantOpens checks that a ring opens the ballot, and all that was sealed in it.
func (b sealedBallot) wantOpens(t *testing.T, ring *keys.Ring) {
	t.Helper()
	key, err := ring.Open(t.Context(), b.id, b.wrapped)
	if err != nil {
		t.Error(err)
		return
	}
	got, err := key.Open(nil, b.sealed, oponn.FieldDefinition)
	if err != nil || !bytes.Equal(got, question) || key.VoterTag(b.voter) != b.tag {
		t.Errorf("the ballot opens to %q, %v", got, err)
	}
}

// wantFails checks the code with which a ring does not open the ballot.
func (b sealedBallot) wantFails(t *testing.T, ring *keys.Ring, want oponn.Code) error {
	t.Helper()
	key, err := ring.Open(t.Context(), b.id, b.wrapped)
	if key != nil {
		t.Error("got a key with the error")
	}
	wantCode(t, err, want)
	return err
}

func wantCode(t *testing.T, err error, want oponn.Code) {
	t.Helper()
	if got := oponn.CodeOf(err); got != want {
		t.Errorf("got code %q (%v), want %q", got, err, want)
	}
	var e *oponn.Error
	if errors.As(err, &e) && (e.RetryAfter > 0) != (want == oponn.CodeKeysUnavailable) {
		t.Errorf("%v says to retry after %v", err, e.RetryAfter)
	}
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func (b *logBook) count(part string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Count(b.text.Bytes(), []byte(part))
}

// within fails the test when do takes longer than it may.
func within(t *testing.T, limit time.Duration, do func()) {
	t.Helper()
	began := time.Now()
	do()
	if took := time.Since(began); took > limit {
		t.Errorf("it took %v, want %v at most", took, limit)
	}
}
