//go:build !linux

package voters

import (
	"context"

	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

func (*Load) drive(context.Context, []wire.Conn) bool { return false }
