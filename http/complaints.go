package http

import (
	"context"
	"log/slog"
	"regexp"
)

// complaints is a handler for what net/http says about peers, which it calls
// by their addresses: those stay out of the log.
type complaints struct{ slog.Handler }

// aPeer is what the log calls whoever is at the other end.
const aPeer = "a peer"

// addressed is an address with a port, as net/http writes it, and without, as
// errors of the system do.
var addressed = regexp.MustCompile(`\[[0-9A-Fa-z:.%]+\](:\d+)?|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?`)

// Handle implements slog.Handler.
func (h complaints) Handle(ctx context.Context, r slog.Record) error {
	r.Message = addressed.ReplaceAllString(r.Message, aPeer)
	return h.Handler.Handle(ctx, r)
}
