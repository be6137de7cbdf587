package actors

import (
	"runtime"
	"time"
)

// maxFrameInterval is how far the time between frames widens when committing
// or fanning out takes long.
const maxFrameInterval = 2 * time.Second

// effort is how long something takes: it rises at once and falls by and by, so
// that what depends on it does not flutter. The zero effort is none.
type effort struct{ usual time.Duration }

func (e *effort) note(took time.Duration) {
	e.usual = max(took, e.usual-(e.usual-took)/4)
}

func (e *effort) of() time.Duration { return e.usual }

// interval is the time between frames. It widens when fanning out takes longer,
// which it does when votes want the processors: they go first; and when commits
// do, for then the database is what everybody waits for, and viewers of other
// instances ask it for what they have missed.
func (a *audience) interval() time.Duration {
	return a.bounded(max(a.took.of(), a.commits))
}

// pace is the time between the beginnings of two fan-outs: the interval, unless
// no requests want the processors that fanning out takes, for no more wait than
// there are. Then frames follow each other without a pause, however long they
// take.
func (a *audience) pace() time.Duration {
	if waiting, _ := a.system.admission.load(); waiting > runtime.GOMAXPROCS(0) {
		return a.interval()
	}
	return a.bounded(a.commits)
}

// bounded keeps an interval within its bounds.
func (a *audience) bounded(interval time.Duration) time.Duration {
	least := a.system.cfg.FrameInterval
	return min(max(least, interval), max(maxFrameInterval, least))
}

// Fan-outs that begin within together of each other are rushed, until they are
// apart again: more frames than anybody can see, from a processor that has
// nothing else to do.
const (
	together = 20 * time.Millisecond
	apart    = 2 * together
)

// rush says whether fan-outs are rushed, the last of which began so long ago.
func rush(was bool, gap time.Duration) bool { return gap < together || was && gap < apart }

// worthTelling returns the interval, in whole seconds, that viewers are told
// of: one that they notice. It is zero for a shorter one.
func worthTelling(interval time.Duration) time.Duration {
	if interval <= time.Second {
		return 0
	}
	return (interval + time.Second - 1).Truncate(time.Second)
}
