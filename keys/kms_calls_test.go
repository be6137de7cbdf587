package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/oponn/oponn"
)

// fakeCalls is a client whose answers the test gives.
type fakeCalls struct {
	*kmsCalls
	log  bytes.Buffer
	sent int
	err  error
}

func newFakeCalls() *fakeCalls {
	f := &fakeCalls{}
	f.kmsCalls = &kmsCalls{deadline: DefaultDeadline, breaker: newBreaker(),
		health: newKMSHealth(slog.New(slog.NewTextHandler(&f.log, nil)))}
	return f
}

func (f *fakeCalls) call(ctx context.Context, op operation) error {
	_, err := call(ctx, f.kmsCalls, op, "ballot", func(ctx context.Context, _ *kms.DecryptInput, _ ...func(*kms.Options)) (*kms.DecryptOutput, error) {
		f.sent++
		if f.err == nil {
			return &kms.DecryptOutput{}, nil
		}
		if errors.Is(f.err, context.DeadlineExceeded) {
			<-ctx.Done()
			return nil, fmt.Errorf("operation error: %w", ctx.Err())
		}
		return nil, f.err
	}, &kms.DecryptInput{})
	return err
}

func apiError(code string) error { return &smithy.GenericAPIError{Code: code, Message: "of the test"} }

func TestKMSCalls_TheBreakerSparesEverybodyTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeCalls()
		f.err = context.DeadlineExceeded
		began := time.Now()
		for range 100 {
			wantCode(t, f.call(t.Context(), opDecrypt), oponn.CodeKeysUnavailable)
		}
		if took := time.Since(began); f.sent != breakerFailures || took != breakerFailures*DefaultDeadline {
			t.Errorf("%d calls were sent in %v", f.sent, took)
		}
		if h := f.health.now(); h.State != HealthUnreachable || h.Reason != "timeout" || !h.Since.Equal(began.Add(DefaultDeadline)) {
			t.Errorf("the health is %+v", h)
		}
		pass(breakerPause + time.Millisecond)
		wantCode(t, f.call(t.Context(), opDecrypt), oponn.CodeKeysUnavailable)
		wantCode(t, f.call(t.Context(), opDecrypt), oponn.CodeKeysUnavailable)
		if f.sent != breakerFailures+1 {
			t.Errorf("%d calls were sent, want one trial", f.sent)
		}
		pass(breakerPause + time.Millisecond)
		f.err = nil
		for range 3 {
			wantCode(t, f.call(t.Context(), opDecrypt), "")
		}
		if h := f.health.now(); h != (Health{State: HealthOK}) {
			t.Errorf("the health is %+v", h)
		}
		if log := f.log.String(); strings.Count(log, "\n") != 2 || !strings.Contains(log, "WARN") || !strings.Contains(log, "away=4.") {
			t.Errorf("the log says %s", log)
		}
	})
}

func TestKMSCalls_RefusalsDoNotOpenTheBreaker(t *testing.T) {
	f := newFakeCalls()
	for i := range 20 {
		code := []string{"AccessDeniedException", "InvalidCiphertextException"}[i%2]
		f.err = apiError(code)
		err := f.call(t.Context(), opDecrypt)
		wantCode(t, err, []oponn.Code{oponn.CodeKeysUnavailable, oponn.CodeInternal}[i%2])
		if unreached(err) || errors.Is(err, oponn.ErrKeyDenied) != (i%2 == 0) {
			t.Errorf("%s became %v", code, err)
		}
	}
	if f.sent != 20 {
		t.Errorf("%d calls were sent, want 20", f.sent)
	}
}

func TestKMSCalls_ACallerWhoLeavesTellsNothingOfKMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeCalls()
		f.err = context.DeadlineExceeded
		gone, leave := context.WithCancel(t.Context())
		leave()
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for _, ctx := range []context.Context{gone, hurried} {
			for range 2 * breakerFailures {
				wantCode(t, f.call(ctx, opDecrypt), oponn.CodeKeysUnavailable)
			}
		}
		if h := f.health.now(); h.State != HealthOK || f.sent != 4*breakerFailures || f.log.Len() > 0 {
			t.Errorf("the health is %+v, %d calls were sent, the log says %s", h, f.sent, f.log.String())
		}
	})
}

func TestKMSCalls_DenialsAreLoudButNotDeafening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeCalls()
		for range 60 {
			for _, code := range []string{"AccessDeniedException", "DisabledException"} {
				f.err = apiError(code)
				wantCode(t, f.call(t.Context(), opDecrypt), oponn.CodeKeysUnavailable)
			}
			pass(time.Second)
		}
		if n := strings.Count(f.log.String(), "level=ERROR"); n != 2*6 {
			t.Errorf("two denials in a minute made %d lines, want one each in ten seconds", n)
		}
	})
}

func TestKMSCalls_AnOperatorsDenialIsNotTheServers(t *testing.T) {
	f := newFakeCalls()
	f.err = apiError("AccessDeniedException")
	for _, op := range []operation{opDescribe, opReEncrypt, opCreate} {
		wantCode(t, f.call(t.Context(), op), oponn.CodeKeysUnavailable)
	}
	if h := f.health.now(); h.State != HealthOK || f.log.Len() > 0 {
		t.Errorf("the health is %+v, the log says %s", h, f.log.String())
	}
}

func TestKMSCalls_AnAnswerIsNeverWrapped(t *testing.T) {
	f := newFakeCalls()
	f.err = fmt.Errorf("calling: %w", &smithy.DeserializationError{Err: errors.New("bad JSON"), Snapshot: []byte("SECRET")})
	err := f.call(t.Context(), opGenerate)
	wantCode(t, err, oponn.CodeKeysUnavailable)
	var unread *smithy.DeserializationError
	if errors.As(err, &unread) {
		t.Error("the error carries the answer")
	}
}
