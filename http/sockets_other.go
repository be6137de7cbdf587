//go:build !linux

package http

import (
	"context"
	"net"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

// canTakeOver says whether streams can write to descriptors of their own.
const canTakeOver = false

// sockets are none here: streams are written by net/http.
type sockets struct{}

func newSockets() *sockets                   { return &sockets{} }
func (*sockets) end()                        {}
func (*sockets) close(context.Context) error { return nil }

// streamDirectly is not reached here.
func (s *Server) streamDirectly(echo.Context, oponn.BallotID, *dialect, *net.TCPConn, *seat) error {
	return oponn.Internal(nil)
}
