package http

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/limit"
	"github.com/oponn/oponn/views"
)

// Config is what a server needs. Secrets is required; for what is zero there
// are defaults.
type Config struct {
	// PublicURL is where the world finds this service: scheme and host. Links,
	// QR codes and cookies follow it. It is required in production; in
	// development, without it, they follow the host that was asked.
	PublicURL *url.URL
	// Production serves the public URL's host and no other.
	Production bool
	// Secrets sign cookies and voter tokens: the first signs, all verify. Each
	// has at least 16 bytes.
	Secrets [][]byte
	// TrustedProxies may say in X-Forwarded-For for whom they ask.
	TrustedProxies []netip.Prefix
	// VoterTokens lets clients of the API ask for voter tokens.
	VoterTokens bool
	// RateLimits holds back addresses, voters and owners that ask for too much.
	RateLimits bool
	// Limiter makes what keeps a budget. Nil: this instance counts for itself,
	// also what several should share.
	Limiter func(limit.Budget) limit.Limiter
	// LANURL returns the address to offer, for a phone to join, to a browser
	// that came by a loopback address; empty for none. May be nil.
	LANURL func() string
	// MaxStreams is the most open streams; 10,000. With RateLimits, one
	// address may have half of them.
	MaxStreams int
	// ReadTimeout is how long a request may take to arrive; 10 s.
	ReadTimeout time.Duration
	// Deadline is how long the answer to a request, other than a stream, may
	// take; 8 s. It leaves time to explain what took too long.
	Deadline time.Duration
	// Logger takes one line for each request, without addresses, ids and
	// cookies. Nil is slog.Default.
	Logger *slog.Logger
	// Meter counts requests, and what streams are sent; nil for none.
	Meter oponn.Meter
	// Tracer begins the traces of requests; nil: none are kept.
	Tracer oponn.Tracer
	// Privacy and Imprint are texts of the operators': paragraphs between empty
	// lines, of which one that begins with # is a heading. Without Privacy there
	// is a text of ours, without Imprint no such page.
	Privacy, Imprint string
	// ReportTo is a further address, https or mailto, that is shown where ballots
	// are reported; empty for none.
	ReportTo string
	// Assets are the static files; nil is those of views.
	Assets *views.Assets
}

// minSecret is the least length of a secret: 128 bits, if they are random.
const minSecret = 16

// check fills in the defaults.
func (c *Config) check() error {
	if len(c.Secrets) == 0 {
		return errors.New("http: a secret is required")
	}
	for i, secret := range c.Secrets {
		if len(secret) < minSecret {
			return fmt.Errorf("http: secret %d has %d bytes, at least %d are needed", i+1, len(secret), minSecret)
		}
	}
	if err := c.checkPublicURL(); err != nil {
		return err
	}
	if c.MaxStreams <= 0 {
		c.MaxStreams = 10_000
	}
	if c.ReadTimeout <= 0 {
		c.ReadTimeout = 10 * time.Second
	}
	if c.Deadline <= 0 {
		c.Deadline = 8 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Limiter == nil {
		c.Limiter = local
	}
	if c.Assets == nil {
		c.Assets = views.NewAssets()
	}
	return nil
}

// checkPublicURL makes sure that links can begin with the public URL.
func (c *Config) checkPublicURL() error {
	u := c.PublicURL
	if u == nil && c.Production {
		return errors.New("http: production needs a public URL")
	}
	if u == nil {
		return nil
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.Scheme != "http" && u.Scheme != "https" || !validHost(u.Host) || strings.Trim(u.Path, "/") != "" || plain.String() != u.String() {
		return fmt.Errorf("http: the public URL %s must be http or https and a host, nothing else", u.Redacted())
	}
	return nil
}
