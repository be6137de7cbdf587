package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
)

func TestPatiently(t *testing.T) {
	away := oponn.Retryable(oponn.CodeStoreUnavailable, time.Second, errors.New("refused by\n\tthe network"), "Please try again.")
	for name, tt := range map[string]struct {
		errs []error // the last one stays
		want error
		took time.Duration
	}{
		"AtOnce":      {[]error{nil}, nil, 0},
		"AfterAWhile": {[]error{away, away, away, nil}, nil, 1750 * time.Millisecond},
		"Never":       {[]error{away}, away, startPatience},
		"Hopeless":    {[]error{away, errors.ErrUnsupported}, errors.ErrUnsupported, 250 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, asked := time.Now(), 0
				_, err := patiently(t.Context(), func(time.Duration, error) {}, "database", func(context.Context) (int, error) {
					asked++
					return asked, tt.errs[min(asked, len(tt.errs))-1]
				})
				if took := time.Since(begin); !errors.Is(err, tt.want) || took != tt.took {
					t.Errorf("%v after %v, want %v after %v", err, took, tt.want, tt.took)
				}
				if asked > 16 {
					t.Errorf("asked %d times", asked)
				}
			})
		})
	}
}

func TestPatiently_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := patiently(ctx, func(time.Duration, error) {}, "database", func(ctx context.Context) (int, error) {
		return 0, oponn.Retryable(oponn.CodeStoreUnavailable, time.Second, ctx.Err(), "Please try again.")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestPlainly(t *testing.T) {
	cause := fmt.Errorf("connect:\n\t%w", errors.ErrUnsupported)
	inner := oponn.Retryable(oponn.CodeStoreUnavailable, time.Second, cause, "Please try again.")
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"Ordinary": {errors.New("no such file"), "no such file"},
		"Coded":    {fmt.Errorf("the database: %w", inner), "the database: connect: unsupported operation"},
		"Twice":    {oponn.Internal(inner), "connect: unsupported operation"},
		"NoCause":  {oponn.Errorf(oponn.CodeBusy, "Later."), "busy: Later."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plainly(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		step := lines(&out, "rotating", 5, 2*time.Second)
		for range 5 {
			<-time.After(time.Second)
			step()
		}
		if got := out.String(); got != "rotating 2 of 5\nrotating 4 of 5\n" {
			t.Errorf("got %q", got)
		}
	})
}
