//go:build unix

package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/oponn/oponn/cmd/oponn/logging"
)

// toggleDebug has SIGUSR1 switch the log between what was set and all details,
// until the context ends; after that the signal does nothing.
func toggleDebug(ctx context.Context, log *logging.Log) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	usual := log.Level.Level()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-asked:
			}
			level := slog.LevelDebug
			if log.Level.Level() == slog.LevelDebug {
				level = usual
			}
			log.Level.Set(level)
			log.Info("log level changed", "to", level)
		}
	}()
}
