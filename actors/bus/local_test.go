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

func TestLocal_Alone(t *testing.T) {
	first := bus.NewLocal()
	if !first.Alone() {
		t.Error("a member by itself is not alone")
	}
	second := first.Join()
	if first.Alone() || second.Alone() {
		t.Error("one of two is alone")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if !first.Alone() {
		t.Error("who is left is not alone")
	}
}
