package actors

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/oponn/oponn"
)

const (
	// worthHelp is how many viewers are worth another goroutine.
	worthHelp = 256
	// stretch is how many viewers get their frame before votes, which wait
	// for a processor meanwhile, have their turn: some 200 µs.
	stretch = 32
)

// walk shows subscribers a frame, with a goroutine per processor when there
// are many: each takes one stretch after another, so that none has to wait for
// another that had to wait for its processor. It returns when all have been
// shown it.
func (s *System) walk(subs []*subscriber, frame *oponn.Frame) {
	var next atomic.Int64
	stroll := func() {
		for {
			end := int(next.Add(stretch))
			stage := subs[min(end-stretch, len(subs)):min(end, len(subs))]
			begin, replaced := s.meters.now(), 0
			for _, sub := range stage {
				if sub.slot.show(frame) {
					replaced++
				}
			}
			s.meters.walked(len(stage), replaced, begin)
			if end >= len(subs) {
				return
			}
			runtime.Gosched()
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(subs)/worthHelp) - 1 {
		others.Go(stroll)
	}
	stroll()
	others.Wait()
}
