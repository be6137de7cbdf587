package http

import (
	"context"
	"log/slog"
	"regexp"
)

// complaints is where net/http complains about its peers, at the level debug:
// without their addresses.
type complaints struct{ slog.Handler }

// peers matches an address with its port.
var peers = regexp.MustCompile(`(\d+(\.\d+){3}|\[[0-9A-Fa-f:.%a-z]+\]):\d+`)

// Handle implements slog.Handler.
func (h complaints) Handle(ctx context.Context, complaint slog.Record) error {
	plain := slog.NewRecord(complaint.Time, complaint.Level, peers.ReplaceAllString(complaint.Message, "a peer"), complaint.PC)
	return h.Handler.Handle(ctx, plain)
}
