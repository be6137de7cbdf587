package yardstick

import (
	"fmt"
	"os"
	"testing"
)

// roleVariable makes this test binary play another part than the test.
const roleVariable = "OPONN_YARDSTICK_ROLE"

// What roles are told by their environment.
const (
	addrVariable     = "OPONN_YARDSTICK_ADDR"
	databaseVariable = "OPONN_YARDSTICK_DATABASE"
)

// roles are the parts, by name: servers to measure, and clients.
var roles = map[string]func() error{
	"viewers":  runViewers,
	"nethttp":  runNetHTTP,
	"bare":     runBare,
	"textbook": runTextbook,
	"flood":    runFlood,
	"metered":  runMetered,
}

func TestMain(m *testing.M) {
	name := os.Getenv(roleVariable)
	if name == "" {
		status := m.Run()
		if built != "" {
			_ = os.RemoveAll(built)
		}
		os.Exit(status)
	}
	role, ok := roles[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "no role", name)
		os.Exit(2)
	}
	if err := role(); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}
