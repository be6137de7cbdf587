package http

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// takenOver is the key, in a request's context, of a mark: the connection is a
// stream's now, which is logged when it ends.
const takenOver = "taken over"

// connKey is the key of a request's plain TCP connection.
type connKey struct{}

// withPlainConn remembers a connection that a stream may take over.
func withPlainConn(ctx context.Context, c net.Conn) context.Context {
	if plain, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, plain)
	}
	return ctx
}

// plainConn returns a request's connection if a stream may take it over: what
// is written to it is what the viewer gets.
func plainConn(r *http.Request) *net.TCPConn {
	if r.ProtoMajor != 1 || r.TLS != nil {
		return nil
	}
	if plain, ok := r.Context().Value(connKey{}).(*conn); ok {
		return plain.tcp()
	}
	return nil
}

// logStream writes the line of a stream that has taken over its connection.
func (s *Server) logStream(d *dialect, begin time.Time, request string) {
	level := requestLevel(http.StatusOK)
	if s.cfg.Logger.Enabled(context.Background(), level) {
		s.cfg.Logger.LogAttrs(context.Background(), level, "request", slog.String("method", http.MethodGet), slog.String("route", d.route),
			slog.Int("status", http.StatusOK), slog.Duration("took", time.Since(begin)), slog.String("request", request))
	}
}
