// Package redistest gives tests a real Redis: the one at OPONN_TEST_REDIS_URL,
// or a container, or the redis-server of this machine.
package redistest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// variable names the environment variable with the URL of a server to use.
const variable = "OPONN_TEST_REDIS_URL"

const startTimeout = 20 * time.Second

var errNone = errors.New("no Redis to test with: set " + variable + ", start Docker, or install one: apt-get install -y redis-server")

// shared is the one server of this test process. It ends with the process.
var shared = sync.OnceValues(func() (string, error) {
	if url := os.Getenv(variable); url != "" {
		if err := answers(url); err != nil {
			return "", fmt.Errorf("%s is set, but nothing answers there: %w", variable, err)
		}
		return url, nil
	}
	launch, err := chooseLauncher()
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	if _, err := launch(port, nil); err != nil {
		return "", err
	}
	url := urlOf(port)
	return url, await(url)
})

// URL returns the URL of a Redis that all tests of the process share. Use a
// Namespace for whatever is kept or published there.
func URL(tb testing.TB) string {
	tb.Helper()
	url, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return url
}

// Namespace returns a name that nobody else uses, for keys and channels.
func Namespace(testing.TB) string { return "test-" + rand.Text() }

// Client returns a client of the Redis at a URL, closed with the test.
func Client(tb testing.TB, url string) *redis.Client {
	tb.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		tb.Fatal(err)
	}
	client := redis.NewClient(options)
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// silent drops what go-redis says about every attempt to connect.
type silent struct{}

// Printf implements the logger of go-redis.
func (silent) Printf(context.Context, string, ...any) {}

// launcher starts a server on a port. stop ends it, and waits until it has.
type launcher func(port int, args []string) (stop func(), err error)

// chooseLauncher takes a Docker engine that answers, else what is installed.
var chooseLauncher = sync.OnceValues(func() (launcher, error) {
	if dockerAnswers() {
		return launchContainer, nil
	}
	if _, err := findBinary(); err == nil {
		return launchProcess, nil
	}
	return nil, errNone
})

func urlOf(port int) string { return "redis://127.0.0.1:" + strconv.Itoa(port) }

// freePort returns a port that nobody listens on. It may be taken before it is
// used: who starts a server tries again then.
func freePort() (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// answers says whether Redis answers at a URL.
func answers(url string) error {
	options, err := redis.ParseURL(url)
	if err != nil {
		return err
	}
	options.DialerRetries = 1
	redis.SetLogger(silent{})
	client := redis.NewClient(options)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return client.Ping(ctx).Err()
}

// await waits until Redis answers at a URL.
func await(url string) error {
	deadline := time.Now().Add(startTimeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := answers(url)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("redis doesn't answer at %s: %w", url, err)
		}
		<-tick.C
	}
}
