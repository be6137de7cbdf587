package oponn

import "time"

// Frame is one version of a ballot as the viewers of one group see it: bytes
// to be written as they are. Frames are state, not events: a later one makes
// an earlier one needless. They are shared: never change the bytes.
type Frame struct {
	Version uint64
	Bytes   []byte
	// Last says that the ballot has closed: nothing will follow.
	Last bool
}

// EndReason says why a stream ends before its viewer left.
type EndReason string

// The reasons.
const (
	EndClosed   EndReason = "closed"   // the ballot has closed and the last frame was delivered
	EndGone     EndReason = "gone"     // the ballot was deleted
	EndDraining EndReason = "draining" // this instance is going down: connect again
	EndLagging  EndReason = "lagging"  // the viewer took nothing for too long
	EndFault    EndReason = "fault"    // a fault of ours: connect again
)

// Sink is the far end of a stream: it takes what the viewer's subscriber actor
// offers. Its methods are called by one goroutine at a time and never block.
type Sink interface {
	// Offer hands over a frame. One that the sink has not begun to write is
	// replaced.
	Offer(Frame)

	// Beat asks for a sign of life.
	Beat()

	// End says that nothing will follow. What was offered before is still to
	// be written.
	End(EndReason)

	// Taken returns when the viewer last took something, the opening
	// included, and whether something offered is still waiting to be taken.
	Taken() (last time.Time, waiting bool)
}

// Viewer is one open stream.
type Viewer struct {
	// Group is the name of all viewers that share frames: representation,
	// language and what they may see.
	Group string
	// Render makes the frame's bytes for the group, of one of its viewers for
	// all. It is called at most once per version, by any goroutine, and must
	// be pure.
	Render func(Snapshot) []byte
	// After is the version that the viewer has seen: nothing older is sent.
	After uint64
	Sink  Sink
}
