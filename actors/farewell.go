package actors

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Streams that all have to end do so by and by: so many at once, and all of
// them within farewellSpread. Their viewers come back to other instances, who
// have to open a stream and render a result for each.
const (
	farewellsAtOnce = 100
	farewellPause   = 50 * time.Millisecond
	farewellSpread  = 3 * time.Second
)

// endSome says that the next ones may go.
type endSome struct{}

// farewell is the streams that are yet to be ended.
type farewell struct {
	left   []*subscriber
	atOnce int
	timer  timer
}

func (s *streams) endAll(ctx actor.Context, m *endAll) {
	s.ending = m
	s.farewell.left = slices.Clone(s.open)
	s.farewell.atOnce = max(farewellsAtOnce, len(s.open)/int(farewellSpread/farewellPause)+1)
	s.announceEnd()
	s.endSome(ctx)
}

// endSome ends some streams; those that have ended by themselves don't mind.
func (s *streams) endSome(ctx actor.Context) {
	f := &s.farewell
	n := min(f.atOnce, len(f.left))
	for _, sub := range f.left[:n] {
		sub.PostUserMessage(&endStream{reason: s.ending.reason})
	}
	if f.left = f.left[n:]; len(f.left) > 0 {
		f.timer.arm(s.system.root, ctx.Self(), farewellPause, func(int) any { return &endSome{} })
	}
}
