package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn"
)

// Redis is the bus of several instances: Redis pub/sub, a channel for every
// ballot. One connection carries all subscriptions; with Redis Cluster, where
// pub/sub is sharded, a few do. It is open while Redis is away too, connects
// when it can, and says through Resynced what may have been missed.
type Redis struct {
	cfg      settings
	endpoint *endpoint
	health   health
	meters   *meters
	ctx      context.Context // ends with the bus
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu       sync.RWMutex
	client   redis.UniversalClient // nil until it is known of which kind Redis is
	sharded  bool
	links    []*link
	followed map[oponn.BallotID]bool
	receive  func(oponn.Notice)
	resynced func(oponn.BallotID)
	closed   bool
}

// Option changes how OpenRedis opens a bus.
type Option func(*settings)

type settings struct {
	namespace string
	logger    *slog.Logger
	meter     oponn.Meter
	beat      time.Duration
}

// WithNamespace sets what the names of all channels and locks begin with;
// "oponn" by default. Deployments that share a Redis need one each.
func WithNamespace(name string) Option { return func(s *settings) { s.namespace = name } }

// WithLogger sets where the bus says that Redis comes and goes; slog.Default
// by default.
func WithLogger(logger *slog.Logger) Option { return func(s *settings) { s.logger = logger } }

// WithBeat sets how often a subscription's connection must show a sign of
// life; after three without, it is made anew. 1 s by default.
func WithBeat(every time.Duration) Option { return func(s *settings) { s.beat = every } }

// maxBackoff is the longest pause between two attempts to connect.
const maxBackoff = 500 * time.Millisecond

var errClosed = errors.New("bus: closed")

var validNamespace = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// OpenRedis opens a bus on the Redis at a URL (redis:// or rediss://; see
// parseEndpoint for clusters). It fails only when the URL is wrong: with Redis
// away the bus is degraded, and connects later. The context bounds how long
// it waits for the first connection; Close ends the bus.
func OpenRedis(ctx context.Context, url string, options ...Option) (*Redis, error) {
	cfg := settings{namespace: "oponn", logger: slog.Default(), beat: time.Second}
	for _, option := range options {
		option(&cfg)
	}
	if !validNamespace.MatchString(cfg.namespace) {
		return nil, errors.New("bus: a namespace is letters, digits, dots and dashes")
	}
	quiet(cfg.logger)
	endpoint, err := parseEndpoint(url)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &Redis{cfg: cfg, endpoint: endpoint, ctx: life, stop: stop,
		health:   health{logger: cfg.logger, failed: make(map[string]*DegradedError)},
		followed: make(map[oponn.BallotID]bool)}
	r.meters = r.newMeters(cfg.meter)
	if err := r.connect(ctx); err != nil {
		r.running.Go(r.keepConnecting)
	}
	return r, nil
}

// connect finds out of which kind Redis is, and starts what keeps the
// subscriptions.
func (r *Redis) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*exchangeTimeout)
	defer cancel()
	client, sharded, err := r.endpoint.dial(ctx)
	if err != nil {
		r.health.failing("connection", err)
		return err
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return client.Close()
	}
	r.client, r.sharded = client, sharded
	parts := 1
	if sharded {
		parts = tags
	}
	for part := range parts {
		r.links = append(r.links, newLink(r, part))
	}
	for _, l := range r.links {
		r.health.pending(l.name)
		r.running.Go(func() { l.run(r.ctx) })
	}
	r.mu.Unlock()
	r.health.well("connection")
	return nil
}

func (r *Redis) keepConnecting() {
	for pause := newPause(maxBackoff); pause.wait(r.ctx); {
		if r.connect(r.ctx) == nil {
			return
		}
	}
}

// Publish implements oponn.Bus. It waits for Redis to take the notice, as long
// as the context allows and a second at most.
func (r *Redis) Publish(ctx context.Context, notice oponn.Notice) (err error) {
	begin := time.Now()
	defer func() { r.meters.publishing(begin, err) }()
	payload, err := encodeNotice(notice)
	if err != nil {
		return fmt.Errorf("bus: publish: %w", err)
	}
	r.mu.RLock()
	client, sharded, closed := r.client, r.sharded, r.closed
	r.mu.RUnlock()
	switch {
	case closed:
		return errClosed
	case client == nil:
		return fmt.Errorf("bus: publish: %w", r.health.check())
	}
	channel := r.channel(notice.Ballot)
	if sharded {
		err = client.SPublish(ctx, channel, payload).Err()
	} else {
		err = client.Publish(ctx, channel, payload).Err()
	}
	if err != nil {
		if ctx.Err() == nil {
			r.health.failing("publish", err)
		}
		return fmt.Errorf("bus: publish: %w", err)
	}
	r.health.well("publish")
	return nil
}

// Receive implements oponn.Bus.
func (r *Redis) Receive(receive func(oponn.Notice)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receive = receive
}

// Resynced sets who is told that notices of a followed ballot come from now
// on: after Follow, and again after each time the connection broke. What was
// published before may have been missed. Set it once, before the first Follow;
// the function must not block.
func (r *Redis) Resynced(resynced func(ballot oponn.BallotID)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resynced = resynced
}

// Follow implements oponn.Bus.
func (r *Redis) Follow(ballot oponn.BallotID) { r.follow(ballot, true) }

// Unfollow implements oponn.Bus.
func (r *Redis) Unfollow(ballot oponn.BallotID) { r.follow(ballot, false) }

func (r *Redis) follow(ballot oponn.BallotID, wanted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.followed[ballot] == wanted {
		return
	}
	if wanted {
		r.followed[ballot] = true
	} else {
		delete(r.followed, ballot)
	}
	if len(r.links) > 0 {
		r.links[tagOf(ballot)%len(r.links)].changed(ballot)
	}
}

// Health returns nil, or a *DegradedError.
func (r *Redis) Health() error { return r.health.check() }

// Close implements oponn.Bus. It waits for what is being delivered, so the
// functions of Receive and Resynced must not call it.
func (r *Redis) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	client := r.client
	r.mu.Unlock()
	r.stop()
	r.running.Wait()
	if client == nil {
		return nil
	}
	return client.Close()
}

// deliver passes on a message that came in on a channel, if it is a notice of
// that channel's ballot, and the ballot is followed.
func (r *Redis) deliver(channel, payload string) {
	notice, err := decodeNotice(payload)
	if err != nil || r.channel(notice.Ballot) != channel {
		r.meters.refused.Add(1)
		r.cfg.logger.Debug("message refused", "channel", channel, "bytes", len(payload))
		return
	}
	r.mu.RLock()
	receive := r.receive
	wanted := r.followed[notice.Ballot] && !r.closed
	r.mu.RUnlock()
	if wanted && receive != nil {
		r.meters.received(notice)
		receive(notice)
	}
}

// subscribed passes on that a channel's notices come from now on.
func (r *Redis) subscribed(channel string) {
	ballot, ok := r.ballotOf(channel)
	if !ok {
		return
	}
	r.mu.RLock()
	resynced := r.resynced
	wanted := r.followed[ballot] && !r.closed
	r.mu.RUnlock()
	if wanted && resynced != nil {
		r.meters.resyncs.Add(1)
		resynced(ballot)
	}
}
