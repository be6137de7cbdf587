package actors

import (
	"runtime"
	"slices"
	"sync"

	"github.com/oponn/oponn"
)

const (
	// leastShard is how many viewers are worth a goroutine of their own.
	leastShard = 256
	// stretch is how many viewers get their frame before votes, which wait
	// for a processor meanwhile, have their turn: some 200 µs.
	stretch = 32
)

// walk shows subscribers a frame: in shards, one per processor, when there are
// many. It returns when all have been shown it.
func walk(subs []*subscriber, frame *oponn.Frame) {
	processors := runtime.GOMAXPROCS(0)
	shard := max(leastShard, (len(subs)+processors-1)/processors)
	var others sync.WaitGroup
	for len(subs) > shard {
		some := subs[:shard]
		others.Go(func() { stroll(some, frame) })
		subs = subs[shard:]
	}
	stroll(subs, frame)
	others.Wait()
}

// stroll shows subscribers a frame and lets others have the processor in
// between.
func stroll(subs []*subscriber, frame *oponn.Frame) {
	for some := range slices.Chunk(subs, stretch) {
		for _, sub := range some {
			sub.slot.show(frame)
		}
		runtime.Gosched()
	}
}
