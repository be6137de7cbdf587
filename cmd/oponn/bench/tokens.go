package bench

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const (
	// tokenBatch is how many one request asks for.
	tokenBatch = 1000
	// tokenFlights is how many requests are under way at once.
	tokenFlights = 4
	// mostTokens is how many are kept, about 80 bytes each.
	mostTokens = 1_000_000
	// guessedRate is how many a second a closed loop is prepared for.
	guessedRate = 30_000
)

// tokens are voter tokens, fetched in advance. More are fetched when they run
// low.
type tokens struct {
	api     *api
	batches chan string
	// low is told when no more batches are left than least.
	low     chan struct{}
	least   int
	fetched atomic.Int64

	mu    sync.Mutex
	batch string // what is left of the batch that is being handed out
}

// wantedTokens returns how many tokens to fetch before votes begin, and whether
// no vote will need another one.
func (p *Plan) wantedTokens() (n int64, enough bool) {
	switch {
	case p.Rate > 0 && p.Votes > 0:
		n, enough = min(int64(p.Rate*p.Duration.Seconds())+1, p.Votes), true
	case p.Rate > 0:
		n, enough = int64(p.Rate*p.Duration.Seconds())+1, true
	case p.Votes > 0:
		n, enough = p.Votes, true
	default:
		n = int64(guessedRate * p.Duration.Seconds())
	}
	return min(n, mostTokens), enough && n <= mostTokens
}

// fetchTokens fetches n tokens in advance: enough for the whole test, or not.
func fetchTokens(ctx context.Context, a *api, n int64, enough bool, told func(done int64)) (*tokens, error) {
	count := int((n + tokenBatch - 1) / tokenBatch)
	t := &tokens{api: a, batches: make(chan string, max(count, 2*tokenFlights)), low: make(chan struct{}, tokenFlights)}
	if !enough {
		t.least = min(count/10, 20)
	}
	group, fetching := errgroup.WithContext(ctx)
	group.SetLimit(tokenFlights)
	for range count {
		group.Go(func() error {
			batch, err := t.fetch(fetching)
			if err != nil {
				return err
			}
			t.batches <- batch
			told(int64(len(t.batches)) * tokenBatch)
			return nil
		})
	}
	return t, group.Wait()
}

// keepUp fetches more when few are left, until end is called.
func (t *tokens) keepUp(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var fetching sync.WaitGroup
	for range tokenFlights {
		fetching.Go(func() {
			for {
				select {
				case <-t.low:
				case <-ctx.Done():
					return
				}
				for len(t.batches) <= t.least {
					batch, err := t.fetch(ctx)
					if err != nil {
						break // asked for again with the next token
					}
					select {
					case t.batches <- batch:
					case <-ctx.Done():
						return
					}
				}
			}
		})
	}
	return func() { cancel(); fetching.Wait() }
}

// Token implements voters.Tokens.
func (t *tokens) Token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		if token, ok := t.next(); ok {
			return token, nil
		}
		t.order()
		select {
		case t.batch = <-t.batches:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// Try implements voters.Tokens. While somebody else waits for a batch there is
// no token.
func (t *tokens) Try() (string, bool) {
	if !t.mu.TryLock() {
		return "", false
	}
	defer t.mu.Unlock()
	for {
		if token, ok := t.next(); ok {
			return token, true
		}
		t.order()
		select {
		case t.batch = <-t.batches:
		default:
			return "", false
		}
	}
}

// next takes a token from what is left of the batch.
func (t *tokens) next() (string, bool) {
	_, rest, ok := strings.Cut(t.batch, `"`)
	if !ok {
		return "", false
	}
	token, rest, ok := strings.Cut(rest, `"`)
	t.batch = rest
	return token, ok
}

// order has more batches fetched when few are left.
func (t *tokens) order() {
	if len(t.batches) > t.least {
		return
	}
	for range tokenFlights {
		select {
		case t.low <- struct{}{}:
		default:
		}
	}
}

func (t *tokens) fetch(ctx context.Context) (string, error) {
	text, err := t.api.ask(ctx, http.MethodPost, "/api/v1/voters", map[string]int{"count": tokenBatch})
	if err != nil {
		return "", err
	}
	_, list, ok := strings.Cut(string(text), "[")
	if !ok {
		return "", errors.New("bench: the answer has no voter tokens")
	}
	t.fetched.Add(tokenBatch)
	return list, nil
}
