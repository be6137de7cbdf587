package main

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// While votes flow faster than brisk, garbage may gather to gathered bytes, or
// to as much as lives, before it is collected; each collection looks at the
// stack of every voter who waits, and there are ten to twenty a second else.
// When it is calm again, the memory goes back to the system. Where they flow
// faster than torrent, it is worth a tenth of a processor for some seconds to put
// the heap on huge pages. One page may stop a processor for longer than late:
// where votes don't take as long, for there are not more of them than can be
// taken, it is one page for each look.
const (
	ordinary  = 100  // percent
	brisk     = 500  // votes between two looks: 2,000 a second
	torrent   = 2500 // 10,000 a second
	late      = 3 * time.Millisecond
	gathered  = 192 << 20
	calmAfter = 240                    // looks: a minute, after which another burst is less likely
	look      = 250 * time.Millisecond // a burst has it from its first moments
	settled   = 40                     // looks: as long is a heap left alone that is on huge pages
)

// collector is how garbage is collected now.
type collector struct{ percent int }

// gather lets garbage gather to so many percent of what lives, or about as
// many: to change it stops all threads for a moment, which is over when the
// last one has had its turn on a processor.
func (c *collector) gather(percent int) {
	near := percent >= c.percent*3/4 && percent <= c.percent*4/3
	if percent != c.percent && (percent == ordinary || !near) {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
}

// traffic tells how many votes have been committed so far, and how many wait.
type traffic interface {
	Committed() uint64
	Waiting() int
}

// pace sets how much garbage may gather, and where, by what the traffic is,
// until the context ends. An operator's GOGC stands.
func pace(ctx context.Context, votes traffic) {
	if os.Getenv("GOGC") != "" {
		return
	}
	garbage := collector{percent: ordinary}
	defer garbage.gather(ordinary)
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	last, calm, rest, heap := votes.Committed(), calmAfter, 0, mover{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := votes.Committed()
		switch flow := now - last; {
		case flow >= brisk:
			calm = 0
			garbage.gather(max(ordinary, int(gathered*100/(live()+1))))
			pages := 1
			if took(flow, votes.Waiting()) >= late {
				pages = math.MaxInt
			}
			if rest--; flow >= torrent && rest <= 0 && heap.move(look, pages) {
				rest = settled
			}
		case calm < calmAfter:
			if calm++; calm == calmAfter {
				garbage.gather(ordinary)
				debug.FreeOSMemory()
				rest = 0
			}
		}
		last = now
	}
}

// took returns how long votes took, of which so many came in a look and so many
// wait now (J. D. C. Little, "A Proof for the Queuing Formula: L = λW", 1961).
func took(flow uint64, waiting int) time.Duration {
	return look * time.Duration(waiting) / time.Duration(flow)
}

// live returns the bytes that the last collection found in use.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
