//go:build !unix

package main

import (
	"context"

	"github.com/oponn/oponn/cmd/oponn/logging"
)

// toggleDebug does nothing where there is no such signal.
func toggleDebug(context.Context, *logging.Log) {}
