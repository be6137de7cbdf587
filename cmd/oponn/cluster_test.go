package main_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	domain "github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus/redistest"
	"github.com/oponn/oponn/keys/kmstest"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// cluster is what several instances share. Tests of clusters don't run beside
// others: they look at the clock.
type cluster struct {
	program         program
	database, redis string
	kms             *kmstest.Server
	secret          string
}

const masterKey = "alias/oponn"

// newCluster has a database and a KMS of its own, and the Redis of all tests.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	kms := kmstest.Start(t)
	kms.CreateKey(masterKey)
	return &cluster{program: binary, database: pgtest.URL(t), redis: redistest.URL(t), kms: kms, secret: strings.Repeat("a secret of this test ", 2)}
}

// settings are those of production, with what a load test needs.
func (c *cluster) settings() []string {
	return append(c.kms.Env(masterKey), "OPONN_ENV=production", "OPONN_LOCAL_KMS=on", "DATABASE_URL="+c.database, "REDIS_URL="+c.redis,
		"OPONN_SECRET="+c.secret, "OPONN_VOTER_TOKENS=on", "OPONN_DRAIN_DELAY=0s", "OPONN_REUSE_PORT=on")
}

// serve starts an instance on a port of its own, which is also the host that
// it serves: production answers for no other.
func (c *cluster) serve(t *testing.T, settings ...string) *server {
	t.Helper()
	return c.serveOn(t, reservePort(t), settings...)
}

// serveOn starts an instance on an address that others may serve as well.
func (c *cluster) serveOn(t *testing.T, addr string, settings ...string) *server {
	t.Helper()
	settings = append(append(c.settings(), "OPONN_ADDR="+addr, "OPONN_PUBLIC_URL=http://"+addr), settings...)
	return c.program.serve(t, filepath.Join(t.TempDir(), "data"), settings...)
}

// reservePort returns an address that stays free for programs that share
// ports: a socket that doesn't listen is bound to it until the test ends.
func reservePort(t *testing.T) string {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.CloseOnExec(socket)
	t.Cleanup(func() { _ = unix.Close(socket) })
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	bound := name.(*unix.SockaddrInet4)
	return (&net.TCPAddr{IP: bound.Addr[:], Port: bound.Port}).String()
}

// query runs a statement on the cluster's database and hands over each row.
func (c *cluster) query(t *testing.T, statement string, each func(pgx.Rows) error, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// as is the same cluster for another build of the program.
func (c *cluster) as(p program) *cluster {
	other := *c
	other.program = p
	return &other
}

// run runs a command of operators to its end.
func (c *cluster) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return c.program.run(t, filepath.Join(t.TempDir(), "data"), c.settings(), args...)
}

// mustVerify recounts everything, as operators do.
func (c *cluster) mustVerify(t *testing.T) {
	t.Helper()
	code, stdout, stderr := c.run(t, "verify")
	if code != 0 || !strings.Contains(stdout, "  wrong 0") || strings.Contains(stdout, "BAD") {
		t.Errorf("verify: exit code %d\n%s%s", code, stdout, stderr)
	}
}

// wantReady waits until /readyz answers so: the status and the first word.
func wantReady(t *testing.T, s *server, status int, word string) {
	t.Helper()
	eventually(t, "an instance that is "+word, func() bool {
		s.mustRun(t)
		got, body := fetch(t, s.ops+"/readyz")
		return got == status && strings.HasPrefix(body, word)
	})
}

// wantGoodEnd wants every instance still there and ends it in good order.
func wantGoodEnd(t *testing.T, instances ...*server) {
	t.Helper()
	for _, s := range instances {
		s.mustRun(t)
		s.signal(t, syscall.SIGTERM)
	}
	for _, s := range instances {
		if code := s.awaitExit(t); code != 0 {
			t.Errorf("an instance ended with %d, want 0", code)
		}
	}
}

// TestCluster_TwoInstancesComeUpOnAnEmptyDatabase starts two at the same
// moment: both want to make the tables.
func TestCluster_TwoInstancesComeUpOnAnEmptyDatabase(t *testing.T) {
	c := newCluster(t)
	c.database = pgtest.EmptyURL(t)
	t.Run("together", func(t *testing.T) {
		for _, name := range []string{"one", "other"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := c.serve(t)
				castVotes(t, s, createBallot(t, s, "Up?", "yes", "no"), 3)
				s.stop(t)
			})
		}
	})
	c.mustVerify(t)
}

// uuidOf returns a ballot's id as the database has it.
func uuidOf(t *testing.T, ballot string) [16]byte {
	t.Helper()
	id, err := domain.ParseBallotID(ballot)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
