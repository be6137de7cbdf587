// Command screenshots makes the tour of Oponn's pages in the documentation: it
// starts the given binary with an empty data directory, fills it with a few
// ballots over the JSON API, and visits its pages in headless Chromium. It
// writes tour.md and a folder of pictures beside it, in place of the old ones.
//
//	screenshots bin/oponn docs
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/oponn/oponn/http/browsertest"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: screenshots FOLDER BINARY")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[2], os.Args[1])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, folder string) error {
	server, err := startServer(ctx, binary)
	if err != nil {
		return err
	}
	defer server.stop()
	browser, quit, err := browsertest.Launch(ctx)
	if err != nil {
		return err
	}
	defer quit()
	stops, err := server.stops(ctx)
	if err != nil {
		return err
	}
	pictures := filepath.Join(folder, picturesFolder)
	if err := os.RemoveAll(pictures); err != nil { //nolint:gosec // the caller's own folder
		return err
	}
	if err := os.MkdirAll(pictures, 0o750); err != nil { //nolint:gosec // the caller's own folder
		return err
	}
	for _, s := range stops {
		if err := s.visit(browser, server.url, pictures); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return os.WriteFile(filepath.Join(folder, "tour.md"), guide(stops), 0o600) //nolint:gosec // the caller's own folder
}
