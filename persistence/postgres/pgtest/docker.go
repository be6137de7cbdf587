package pgtest

import (
	"context"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
)

const image = "postgres:17-alpine"

// engineAnswers asks the Docker engine: that there is a client proves nothing.
func engineAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{}))
	if err != nil {
		return false
	}
	return provider.Health(ctx) == nil
}

// silent is a logger: whether an engine answers is nobody's news.
type silent struct{}

func (silent) Printf(string, ...any) {}

// container starts a server in a container. Its reaper removes it when this
// process is gone.
func container(ctx context.Context) (string, error) {
	c, err := postgres.Run(ctx, image, postgres.WithDatabase("oponn"), postgres.WithUsername("oponn"), postgres.WithPassword("oponn"),
		testcontainers.WithCmdArgs("-c", "max_connections=200"), postgres.BasicWaitStrategies())
	if err != nil {
		return "", err
	}
	return c.ConnectionString(ctx, "sslmode=disable")
}
