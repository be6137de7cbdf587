package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oponn/oponn/cmd/oponn/tracing"
	"github.com/oponn/oponn/keys"
)

// config is what the settings mean.
type config struct {
	addr, opsAddr  string
	publicURL      *url.URL // nil in development: the host that was asked
	production     bool
	storage        storage
	redisURL       string // empty: a bus within the process
	reusePort      bool
	localKMS       bool     // in production: the KMS may be spoken to without TLS
	secrets        [][]byte // empty: that of the data directory
	trustedProxies []netip.Prefix
	tlsCert        string // empty: plain HTTP
	tlsKey         string
	rateLimits     bool
	voterTokens    bool
	drainDelay     time.Duration
	frameInterval  time.Duration
	maxWaiting     int
	idleAfter      time.Duration
	maxStreams     int
	privacy        string // empty: the program's own text
	imprint        string // empty: no such page
	reportTo       string // empty: the log alone
	logLevel       slog.Level
}

// minSecret is the least length of a secret in characters.
const minSecret = 32

// read returns what the settings mean, or all that is wrong with them. An open
// file is a stream: openFiles is how many the process may have.
func (s settings) read(openFiles uint64) (config, error) {
	var r reader
	c := config{
		production:     r.choice("OPONN_ENV", s.Env, "development", "production") == "production",
		addr:           r.address("OPONN_ADDR", s.Addr),
		opsAddr:        r.address("OPONN_OPS_ADDR", s.OpsAddr),
		publicURL:      r.publicURL("OPONN_PUBLIC_URL", s.PublicURL),
		storage:        r.storage(s.storageSettings),
		redisURL:       r.url("REDIS_URL", s.RedisURL, "redis", "rediss"),
		reusePort:      r.choice("OPONN_REUSE_PORT", s.ReusePort, "on", "off") == "on",
		localKMS:       r.choice("OPONN_LOCAL_KMS", s.LocalKMS, "on", "off") == "on",
		secrets:        r.secrets("OPONN_SECRET", s.Secret),
		trustedProxies: r.networks("OPONN_TRUSTED_PROXIES", s.TrustedProxies),
		tlsCert:        s.TLSCert,
		tlsKey:         s.TLSKey,
		rateLimits:     r.choice("OPONN_RATE_LIMITS", s.RateLimits, "on", "off") == "on",
		frameInterval:  r.duration("OPONN_FRAME_INTERVAL", s.FrameInterval, time.Millisecond),
		idleAfter:      r.duration("OPONN_IDLE_AFTER", s.IdleAfter, time.Millisecond),
		maxStreams:     r.streams("OPONN_MAX_STREAMS", s.MaxStreams, openFiles),
		maxWaiting:     r.count("OPONN_MAX_WAITING", s.MaxWaiting, 50_000),
		privacy:        r.text("OPONN_PRIVACY_FILE", s.PrivacyFile),
		imprint:        r.text("OPONN_IMPRINT_FILE", s.ImprintFile),
		reportTo:       r.contact("OPONN_REPORT_TO", s.ReportTo),
		logLevel:       r.level("OPONN_LOG_LEVEL", s.LogLevel),
	}
	c.voterTokens = !c.production
	if s.VoterTokens != "" {
		c.voterTokens = r.choice("OPONN_VOTER_TOKENS", s.VoterTokens, "on", "off") == "on"
	}
	if c.production {
		c.drainDelay = 5 * time.Second
	}
	if s.DrainDelay != "" {
		c.drainDelay = r.duration("OPONN_DRAIN_DELAY", s.DrainDelay, 0)
	}
	r.certificate(s.TLSCert, s.TLSKey)
	r.traces()
	if c.production {
		r.production(s)
		r.strict(c)
	}
	if c.reusePort && !canReusePort {
		r.fault("OPONN_REUSE_PORT is on, but this system can't share a port.")
	}
	return c, r.err()
}

// read returns where ballots and keys are, or what is wrong with the settings.
func (s storageSettings) read() (storage, error) {
	var r reader
	c := r.storage(s)
	return c, r.err()
}

// reader reads settings and gathers what is wrong with them, a sentence for
// each. It never quotes a secret.
type reader struct{ faults []string }

func (r *reader) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("oponn can't start:\n  %s", strings.Join(r.faults, "\n  "))}
}

// production lists what is missing there.
func (r *reader) production(s settings) {
	var missing []string
	for _, need := range []struct{ value, name string }{
		{s.DatabaseURL, "DATABASE_URL (Postgres)"},
		{s.RedisURL, "REDIS_URL (Redis)"},
		{s.KMSKeyID, "OPONN_KMS_KEY_ID (a key in AWS KMS)"},
		{s.Secret, "OPONN_SECRET (what signs cookies)"},
		{s.PublicURL, "OPONN_PUBLIC_URL (where the world finds this service)"},
	} {
		if need.value == "" {
			missing = append(missing, need.name)
		}
	}
	if len(missing) > 0 {
		r.fault("OPONN_ENV is production; what is missing for that: %s.", strings.Join(missing, ", "))
	}
}

// strict refuses in production what is fine on a developer's machine.
func (r *reader) strict(c config) {
	if u := c.publicURL; u != nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		r.fault("OPONN_PUBLIC_URL is %s; in production it has to be https, but for a host of this machine.", u)
	}
	if host, plain := plainHost(c.storage.kms.Endpoint); plain {
		switch {
		case !c.localKMS:
			r.fault("AWS_ENDPOINT_URL has no TLS; OPONN_LOCAL_KMS=on allows that for trying out production settings.")
		case !loopback(host) && strings.ContainsAny(host, ".:"):
			r.fault("AWS_ENDPOINT_URL has no TLS; OPONN_LOCAL_KMS allows that on this machine and for names without a dot, as containers have them.")
		}
	}
	for i, secret := range c.secrets {
		if distinct(secret) < 8 {
			r.fault("OPONN_SECRET: value %d can be guessed; openssl rand -hex 32 makes a good one.", i+1)
		}
	}
}

// traces refuses what OpenTelemetry's variables ask for in vain.
func (r *reader) traces() {
	if err := tracing.Check(); err != nil && tracing.Wanted() {
		r.fault("%s.", err)
	}
}

// plainHost returns the host of an endpoint that is spoken to in the clear.
func plainHost(endpoint string) (host string, plain bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" {
		return "", false
	}
	return u.Hostname(), true
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && addr.IsLoopback()
}

// distinct counts the different bytes of a secret.
func distinct(secret []byte) int {
	seen := map[byte]bool{}
	for _, b := range secret {
		seen[b] = true
	}
	return len(seen)
}

// storage returns where ballots and keys are.
func (r *reader) storage(s storageSettings) storage {
	if s.DataDir == "" {
		r.fault("OPONN_DATA_DIR is empty.")
	}
	c := storage{
		dir:         dataDir(s.DataDir),
		databaseURL: r.database("DATABASE_URL", s.DatabaseURL),
		kms:         keys.KMSConfig{Region: s.AWSRegion, Endpoint: r.endpoint("AWS_ENDPOINT_URL", s.AWSEndpoint)},
	}
	for i, id := range strings.Split(s.KMSKeyID, ",") {
		if id = strings.TrimSpace(id); i == 0 {
			c.kms.KeyID = id
		} else {
			c.formerKeys = append(c.formerKeys, id)
		}
	}
	return c
}

// database tries the URL as Postgres reads it, so that nobody waits for a
// server that it can't name.
func (r *reader) database(name, value string) string {
	before := len(r.faults)
	r.url(name, value, "postgres", "postgresql")
	if value == "" || len(r.faults) > before {
		return value
	}
	if _, err := pgconn.ParseConfig(value); err != nil { // which may quote a password
		r.fault("%s can't be used: it has to be like postgres://user:password@host:5432/database, and the files that it names have to be there.", name)
	}
	return value
}

// endpoint checks the URL of a service. Userinfo in it would end up in logs.
func (r *reader) endpoint(name, value string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		r.fault("%s has to be a URL like http://localhost:4566.", name)
	}
	return value
}

// url checks a URL's scheme. It may hold a password: no fault quotes it.
func (r *reader) url(name, value string, schemes ...string) string {
	scheme, _, ok := strings.Cut(value, "://")
	if value != "" && (!ok || !slices.Contains(schemes, scheme)) {
		r.fault("%s has to be a URL that begins with %s://.", name, strings.Join(schemes, ":// or "))
	}
	return value
}

func (r *reader) choice(name, value string, choices ...string) string {
	for _, choice := range choices {
		if value == choice {
			return value
		}
	}
	r.fault("%s is %q; it can be %s.", name, value, strings.Join(choices, " or "))
	return ""
}

func (r *reader) address(name, value string) string {
	host, port, err := net.SplitHostPort(value)
	if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil || strings.ContainsAny(host, "/ ") {
		r.fault("%s is %q; an address is written like :8080 or 127.0.0.1:8080.", name, value)
	}
	return value
}

func (r *reader) publicURL(name, value string) *url.URL {
	if value == "" {
		return nil
	}
	u, err := url.Parse(strings.TrimSuffix(value, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
		r.fault("%s has to be scheme and host and nothing else, like https://vote.example.org.", name)
		return nil
	}
	return u
}

func (r *reader) secrets(name, value string) (secrets [][]byte) {
	if value == "" {
		return nil
	}
	for i, secret := range strings.Split(value, ",") {
		secret = strings.TrimSpace(secret)
		if len(secret) < minSecret {
			r.fault("%s: value %d has %d characters, at least %d are needed; openssl rand -hex 32 makes a good one.", name, i+1, len(secret), minSecret)
		}
		secrets = append(secrets, []byte(secret))
	}
	return secrets
}

func (r *reader) networks(name, value string) (networks []netip.Prefix) {
	if value == "" {
		return nil
	}
	for network := range strings.SplitSeq(value, ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(network))
		if err != nil {
			r.fault("%s: %q is not a network; one is written like 10.0.0.0/8 or 192.0.2.7/32.", name, network)
			continue
		}
		networks = append(networks, prefix.Masked())
	}
	return networks
}

func (r *reader) duration(name, value string, least time.Duration) time.Duration {
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		r.fault("%s is %q; a time is written like 500ms, 5s or 2m.", name, value)
	case d < least:
		r.fault("%s is %q; at least %v is needed.", name, value, least)
	}
	return d
}

// count reads a number from 1 to most.
func (r *reader) count(name, value string, most int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		r.fault("%s is %q; it has to be a number from 1 to %d", name, value, most)
	}
	return n
}

func (r *reader) level(name, value string) (level slog.Level) {
	switch r.choice(name, value, "debug", "info", "warn", "error") {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// unknownFiles stands for the limit of a system that doesn't tell it.
const unknownFiles = 4096

// mostStreams is how many there are by default at most, where the system sets
// no limit worth the name: memory does.
const mostStreams = 50_000

// streams leaves a quarter of the files to voters, the database and the rest.
func (r *reader) streams(name, value string, openFiles uint64) int {
	if value == "" {
		return int(min(openFiles/4*3, mostStreams))
	}
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 1:
		r.fault("%s is %q; it has to be a number above zero.", name, value)
	case uint64(n) > openFiles-openFiles/10:
		r.fault("%s is %d, but this process may only open %d files (ulimit -n), and a tenth of them is for voters and the database.", name, n, openFiles)
	}
	return n
}

// certificate tries the pair, so that a fault is told at the start and not to
// the first visitor.
func (r *reader) certificate(cert, key string) {
	switch {
	case cert == "" && key == "":
	case cert == "":
		r.fault("OPONN_TLS_KEY is set and OPONN_TLS_CERT is not: both or none.")
	case key == "":
		r.fault("OPONN_TLS_CERT is set and OPONN_TLS_KEY is not: both or none.")
	default:
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			r.fault("OPONN_TLS_CERT and OPONN_TLS_KEY can't be used: %v.", err)
		}
		// A group may: that is how programs of several users share one.
		if info, err := os.Stat(key); err == nil && info.Mode().Perm()&0o007 != 0 {
			r.fault("OPONN_TLS_KEY: everybody may touch %s (mode %#o); run: chmod o= %s", key, info.Mode().Perm(), key)
		}
	}
}
