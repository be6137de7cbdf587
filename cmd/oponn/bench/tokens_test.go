package bench

import (
	"context"
	"errors"
	"testing"
)

// TestTokens_TryNeverWaits has tokens run out: who doesn't wait gets none and
// has more ordered, and a batch that comes is for everyone.
func TestTokens_TryNeverWaits(t *testing.T) {
	t.Parallel()
	tokens := &tokens{batches: make(chan string, 2), low: make(chan struct{}, tokenFlights)}
	tokens.batches <- `"a","b"]}`
	for _, want := range []string{"a", "b"} {
		if got, ok := tokens.Try(); !ok || got != want {
			t.Errorf("%q, %v, want %q", got, ok, want)
		}
	}
	if got, ok := tokens.Try(); ok || len(tokens.low) == 0 {
		t.Errorf("%q out of nothing, %d told to fetch more", got, len(tokens.low))
	}
	tokens.batches <- `"c","d"]}`
	if got, err := tokens.Token(t.Context()); err != nil || got != "c" {
		t.Errorf("%q, %v", got, err)
	}
	tokens.mu.Lock() // as somebody who waits
	if got, ok := tokens.Try(); ok {
		t.Errorf("%q overtook", got)
	}
	tokens.mu.Unlock()
	if got, ok := tokens.Try(); !ok || got != "d" {
		t.Errorf("%q, %v", got, ok)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := tokens.Token(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
