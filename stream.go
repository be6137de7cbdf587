package oponn

// Frame is one version of a ballot as the viewers of one group see it: bytes
// to be written as they are. Frames are state, not events: a later one makes
// an earlier one needless. They are shared: never change them.
type Frame struct {
	Version uint64
	Bytes   []byte
	// Prelude is how many of the first bytes say what changes seldom, and
	// Since the version that first said it so: whoever has seen that one can
	// do without them.
	Prelude int
	Since   uint64
	// Soon says that frames follow each other within milliseconds: a sink may
	// let this one travel with the next, where that is cheaper.
	Soon bool
	// Last says that the ballot has closed: nothing will follow, unless it is
	// opened again.
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

// Progress is how a sink stands.
type Progress struct {
	// Taken counts what the viewer has taken, in a unit of the sink's own.
	Taken uint64
	// Waiting says that something offered is still to be taken.
	Waiting bool
	// Done says that the stream is over: its end was delivered, or the viewer
	// has left. Nothing is held any more.
	Done bool
}

// Sink is the far end of a stream: it takes what the viewer's subscriber actor
// offers. Its methods are called by one goroutine at a time and never block.
type Sink interface {
	// Offer hands over a frame. One that the sink has not begun to write is
	// replaced.
	Offer(*Frame)

	// Beat asks for a sign of life.
	Beat()

	// End says that nothing will follow. What was offered before is still to
	// be written. The first reason counts.
	End(EndReason)

	// Flush goes on with what waits, and returns how the sink stands.
	Flush() Progress

	// Close drops what waits and lets go of the viewer, who may have left.
	Close()
}

// Group is viewers who share frames: by representation, language and what they
// may see.
type Group struct {
	// Name tells the groups of a ballot apart.
	Name string
	// Render makes the bytes of a frame, and says how many of the first ones
	// are a prelude (see Frame). It is called at most once per version, by any
	// goroutine, and must be pure.
	Render func(Snapshot) (bytes []byte, prelude int)
}

// Viewer is one open stream.
type Viewer struct {
	Group *Group
	// After is the version that the viewer has seen: nothing older is sent.
	After uint64
	// Stays says that the stream outlasts the closing of the ballot, which may
	// be opened again; others end with EndClosed.
	Stays bool
	// Uncounted keeps the viewer out of the number of those who watch.
	Uncounted bool
	Sink      Sink
}

// Stream is a viewer's place in the runtime.
type Stream interface {
	// Wake has the sink's Flush called soon, perhaps before it returns: the
	// viewer takes again what it is sent, or has left. It may be called from
	// any goroutine, and does no harm after the end.
	Wake()
}

// Casting is a vote whose outcome is known, for whoever did not wait for it.
type Casting interface {
	// Receipt returns what casting the vote would have returned. Call it once.
	Receipt() (Receipt, error)
}
