package keys_test

import (
	"context"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/localstack"

	"github.com/oponn/oponn/keys"
)

// localStackImage is of the last line that starts without a token.
const localStackImage = "localstack/localstack:4.9.2"

// engineAnswers asks the container engine itself: that a client is installed
// proves nothing.
func engineAnswers(ctx context.Context) (answers bool) {
	defer func() {
		if recover() != nil { // testcontainers panics when it finds no address to ask at
			answers = false
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return false
	}
	defer provider.Close()
	return provider.Health(ctx) == nil
}

// startLocalStack runs LocalStack for as long as the test takes, and returns
// how to reach a key of it.
func startLocalStack(t *testing.T) keys.KMSConfig {
	t.Helper()
	container, err := localstack.Run(t.Context(), localStackImage, testcontainers.WithEnv(map[string]string{"SERVICES": "kms"}))
	testcontainers.CleanupContainer(t, container)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := container.PortEndpoint(t.Context(), "4566/tcp", "http")
	if err != nil {
		t.Fatal(err)
	}
	cfg := keys.KMSConfig{Region: "us-east-1", Endpoint: endpoint, Credentials: anybody, Deadline: 5 * time.Second}
	if cfg.KeyID, err = keys.InitKMS(t.Context(), cfg, "oponn"); err != nil {
		t.Fatal(err)
	}
	return cfg
}
