package bus_test

import (
	"context"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus/redistest"
)

// BenchmarkRedis measures from Publish to what Receive was given.
func BenchmarkRedis(b *testing.B) {
	url, namespace := redistest.URL(b), redistest.Namespace(b)
	here, there := open(b, url, namespace), open(b, url, namespace)
	arrived := make(chan uint64, 1)
	there.Receive(func(n oponn.Notice) { arrived <- n.Head.Version })
	ballot := oponn.NewBallotID()
	there.Follow(ballot)
	subscribed(b, there, redistest.Client(b, url), namespace, false)
	var version uint64
	for b.Loop() {
		version++
		if err := here.Publish(context.Background(), notice(ballot, version)); err != nil {
			b.Fatal(err)
		}
		<-arrived
	}
}
