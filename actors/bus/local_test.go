package bus_test

import (
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/actors/bus/bustest"
)

func TestLocal(t *testing.T) {
	bustest.Run(t, func(*testing.T) (here, there oponn.Bus) {
		first := bus.NewLocal()
		return first, first.Join()
	}, nil)
}
