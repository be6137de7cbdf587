package oponn_test

import (
	"context"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func TestRequestID(t *testing.T) {
	if id := oponn.RequestID(context.Background()); id != "" {
		t.Errorf("a context of no request has the id %q", id)
	}
	ctx := oponn.WithRequestID(context.Background(), "4711")
	deep, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if id := oponn.RequestID(deep); id != "4711" {
		t.Errorf("the id is %q", id)
	}
	if id := oponn.RequestID(oponn.WithRequestID(deep, "4712")); id != "4712" {
		t.Errorf("a context within has the id %q", id)
	}
	if _, ok := deep.Deadline(); !ok {
		t.Error("no deadline")
	}
}
