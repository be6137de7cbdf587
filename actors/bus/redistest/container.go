package redistest

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// image is the Redis that runs where there is Docker.
const image = "redis:7.4-alpine"

// dockerAnswers asks the engine: a client or a socket proves nothing.
func dockerAnswers() (yes bool) {
	defer func() {
		if recover() != nil { // how testcontainers says that there is none
			yes = false
		}
	}()
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(mute{}))
	if err != nil {
		return false
	}
	defer provider.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return provider.Health(ctx) == nil
}

// mute drops what testcontainers says about an engine that isn't there.
type mute struct{}

// Printf implements the logger of testcontainers.
func (mute) Printf(string, ...any) {}

// launchContainer starts Redis in a container, on the same port inside and
// outside, which a cluster tells its clients. The reaper of testcontainers ends
// it with the process.
func launchContainer(port int, args []string) (stop func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // it may have to be fetched
	defer cancel()
	number := strconv.Itoa(port)
	command := append([]string{"redis-server", "--port", number, "--save", "", "--appendonly", "no",
		"--cluster-announce-ip", "127.0.0.1"}, args...)
	c, err := testcontainers.Run(ctx, image,
		testcontainers.WithExposedPorts(number+"/tcp"),
		testcontainers.WithCmd(command...),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.PortBindings = network.PortMap{network.MustParsePort(number + "/tcp"): {
				{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: number},
			}}
		}),
		testcontainers.WithWaitStrategy(wait.ForLog("Ready to accept connections")))
	if err != nil {
		return nil, err
	}
	return func() { _ = testcontainers.TerminateContainer(c) }, nil
}
