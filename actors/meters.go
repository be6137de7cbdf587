package actors

import (
	"sync/atomic"
	"time"

	"github.com/oponn/oponn"
)

// Bounds of histograms, in seconds.
var (
	// fineBounds are for what takes microseconds when all is well.
	fineBounds = []float64{1e-6, 1e-5, 1e-4, 1e-3, 5e-3, 2.5e-2, 0.1, 0.5, 2.5}
	// stageBounds are for what a vote or its frame waits for.
	stageBounds = []float64{2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5}
	// sizeBounds are for votes at once.
	sizeBounds = []float64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 4000}
)

// meters is what the actors count with. All of it is there when nobody counts;
// measures says whether somebody does.
type meters struct {
	measures bool
	kinds    map[string]*kind // of those that s.props makes

	subscribers *kind
	passivated  oponn.Counter

	votes   voteMeters
	writer  writerMeters
	streams streamMeters
	screen  screenMeters
	relay   relayMeters
	letters map[string]oponn.Counter // dead ones, by kind of message
	shed    map[string]oponn.Counter // what was refused to keep a limit, by the limit
	awake   atomic.Int64             // ballots in memory
	shown   atomic.Uint64            // frames, to subscribers
}

// The limits that requests are refused to keep.
const (
	limitInFlight  = "in_flight"
	limitPerBallot = "in_flight_per_ballot"
	limitAwake     = "ballots_awake"
	limitStreams   = "streams"
)

// voteMeters count votes by what became of them.
type voteMeters struct {
	accepted, changed, repeated oponn.Counter
	refused                     map[oponn.Code]oponn.Counter
	unknown                     oponn.Counter
	resolved                    map[string]oponn.Counter
}

// writerMeters measure the way through the writers.
type writerMeters struct {
	batch, transaction, ballots, took oponn.Histogram
	waiting                           atomic.Int64 // votes that the writers have
}

// streamMeters count streams.
type streamMeters struct {
	opened, replaced oponn.Counter
	ended            map[oponn.EndReason]oponn.Counter
	open, lagging    atomic.Int64
	// behind counts those who lag while the reaper goes round.
	behind atomic.Int64
}

// relayMeters count what ties this instance to the others.
type relayMeters struct {
	published, failed, notices, heals, healed, healFailed oponn.Counter
}

// The stages of a vote on its way to the screens.
const (
	stageMailbox = "mailbox" // until its ballot has it
	stageGather  = "gather"  // until the writer takes its batch
	stageCommit  = "commit"  // until its ballot knows that it is committed
	stagePublish = "publish" // until the audience begins to show it
	stageRender  = "render"  // of one frame
	stageWrite   = "write"   // of frames to all viewers
)

// screenMeters measure how long a vote takes to the screens.
type screenMeters struct {
	begun                                           time.Time // of the system
	local, remote                                   oponn.Histogram
	mailbox, gather, commit, publish, render, write oponn.Histogram
}

// What is found about a batch of unknown outcome.
const (
	foundCommitted = "committed"
	foundNot       = "not_committed"
	foundSettled   = "settled" // there were no votes in it, and now it is done
	foundGone      = "gone"
	foundNothing   = "unresolved" // nobody waited any longer
)

// endLeft is how a stream ends whose viewer has left.
const endLeft oponn.EndReason = "left"

// refusals are the codes that a vote may be refused with.
var refusals = []oponn.Code{
	oponn.CodeAlreadyVoted, oponn.CodeVoteIDReused, oponn.CodeCodeRefused, oponn.CodeNotOpen, oponn.CodeClosed,
	oponn.CodeInvalid, oponn.CodeNotFound, oponn.CodeGone, oponn.CodeBusy, oponn.CodeDraining, oponn.CodeStoreUnavailable,
	oponn.CodeKeysUnavailable, oponn.CodeOutcomeUnknown, oponn.CodeInternal,
}

// newMeters makes the instruments.
func newMeters(meter oponn.Meter) *meters {
	m := &meters{measures: meter != nil, kinds: make(map[string]*kind)}
	meter = oponn.Metered(meter)
	for _, name := range []string{"supervisor", "registry", "ballot", "audience", "streams", "relay", "writer"} {
		m.kinds[name] = newKind(meter, name)
	}
	m.subscribers = &kind{}
	m.subscribers.count(meter, "subscriber")
	meter.Total(oponn.Metric{Name: "oponn_actor_messages_total", Help: helpMessages, Labels: oponn.Labels{"kind": "subscriber"}},
		func() float64 { return float64(m.shown.Load()) })
	m.passivated = meter.Counter(oponn.Metric{Name: "oponn_ballots_passivated_total",
		Help: "Ballots that were put to sleep because nobody voted or watched."})
	m.votes.make(meter)
	m.writer.make(meter)
	m.streams.make(meter)
	m.screen.make(meter)
	m.relay.make(meter)
	m.shed = make(map[string]oponn.Counter)
	for _, limit := range []string{limitInFlight, limitPerBallot, limitAwake, limitStreams} {
		m.shed[limit] = meter.Counter(oponn.Metric{Name: "oponn_requests_shed_total",
			Help: "Requests that were refused untried, to keep a limit.", Labels: oponn.Labels{"limit": limit}})
	}
	m.letters = make(map[string]oponn.Counter)
	for _, name := range letterKinds {
		m.letters[name] = meter.Counter(oponn.Metric{Name: "oponn_actor_dead_letters_total",
			Help: "Messages that reached no actor; whoever waited was answered.", Labels: oponn.Labels{"message": name}})
	}
	return m
}

func (v *voteMeters) make(meter oponn.Meter) {
	outcome := func(name string) oponn.Counter {
		return meter.Counter(oponn.Metric{Name: "oponn_votes_total", Help: "Votes that were answered with a receipt.",
			Labels: oponn.Labels{"outcome": name}})
	}
	v.accepted, v.changed, v.repeated = outcome("accepted"), outcome("changed"), outcome("repeated")
	v.refused = make(map[oponn.Code]oponn.Counter)
	for _, code := range refusals {
		v.refused[code] = meter.Counter(oponn.Metric{Name: "oponn_votes_refused_total",
			Help: "Votes that were answered with an error.", Labels: oponn.Labels{"code": string(code)}})
	}
	v.unknown = meter.Counter(oponn.Metric{Name: "oponn_commits_unknown_total",
		Help: "Batches whose commit was not answered; each is tried again until it is known."})
	v.resolved = make(map[string]oponn.Counter)
	for _, found := range []string{foundCommitted, foundNot, foundSettled, foundGone, foundNothing} {
		v.resolved[found] = meter.Counter(oponn.Metric{Name: "oponn_commits_resolved_total",
			Help: "Batches of unknown outcome by what was found.", Labels: oponn.Labels{"found": found}})
	}
}

// answered counts a vote that was answered.
func (v *voteMeters) answered(receipt oponn.Receipt, err error) {
	switch {
	case err != nil:
		code := oponn.CodeOf(err)
		if v.refused[code] == nil {
			code = oponn.CodeInternal
		}
		v.refused[code].Add(1)
	case receipt.Repeat:
		v.repeated.Add(1)
	case receipt.Replaces != "":
		v.changed.Add(1)
	default:
		v.accepted.Add(1)
	}
}

func (w *writerMeters) make(meter oponn.Meter) {
	w.batch = meter.Histogram(oponn.Metric{Name: "oponn_writer_batch_votes", Help: "Votes of one ballot in one transaction."}, sizeBounds)
	w.transaction = meter.Histogram(oponn.Metric{Name: "oponn_writer_transaction_votes", Help: "Votes in one transaction."}, sizeBounds)
	w.ballots = meter.Histogram(oponn.Metric{Name: "oponn_writer_transaction_ballots", Help: "Ballots in one transaction."}, sizeBounds)
	w.took = meter.Histogram(oponn.Metric{Name: "oponn_writer_transaction_seconds",
		Help: "Time of a transaction, with its commit and all attempts."}, stageBounds)
	meter.Gauge(oponn.Metric{Name: "oponn_writer_votes", Help: "Votes that the writers have: waiting, or in a transaction."},
		func() float64 { return float64(w.waiting.Load()) })
}

func (s *streamMeters) make(meter oponn.Meter) {
	s.opened = meter.Counter(oponn.Metric{Name: "oponn_streams_opened_total", Help: "Streams that were opened."})
	s.replaced = meter.Counter(oponn.Metric{Name: "oponn_stream_frames_conflated_total",
		Help: "Frames that a newer one replaced before a viewer was sent them.", Labels: oponn.Labels{"at": "actor"}})
	s.ended = make(map[oponn.EndReason]oponn.Counter)
	for _, reason := range []oponn.EndReason{oponn.EndClosed, oponn.EndGone, oponn.EndDraining, oponn.EndLagging, oponn.EndFault, endLeft} {
		s.ended[reason] = meter.Counter(oponn.Metric{Name: "oponn_streams_ended_total",
			Help: "Streams that have ended; lagging are those that were reaped.", Labels: oponn.Labels{"reason": string(reason)}})
	}
	meter.Gauge(oponn.Metric{Name: "oponn_streams_open", Help: "Open streams."}, func() float64 { return float64(s.open.Load()) })
	meter.Gauge(oponn.Metric{Name: "oponn_streams_lagging",
		Help: "Streams whose viewer had not taken all that was offered when the reaper came last."},
		func() float64 { return float64(s.lagging.Load()) })
	meter.Gauge(oponn.Metric{Name: "oponn_actors_alive", Help: helpAlive, Labels: oponn.Labels{"kind": "subscriber"}},
		func() float64 { return float64(s.open.Load()) })
}

func (m *screenMeters) make(meter oponn.Meter) {
	where := func(name string) oponn.Histogram {
		return meter.Histogram(oponn.Metric{Name: "oponn_vote_to_screen_seconds", Labels: oponn.Labels{"where": name},
			Help: "Time from a vote's arrival until the viewers here have been written the first frame that counts it; remote of a sample."}, stageBounds)
	}
	m.begun = time.Now()
	m.local, m.remote = where("local"), where("remote")
	stage := func(name string) oponn.Histogram {
		return meter.Histogram(oponn.Metric{Name: "oponn_vote_stage_seconds", Labels: oponn.Labels{"stage": name},
			Help: "Time of the stages of a vote on its way to the screens."}, append([]float64{1e-5, 1e-4}, stageBounds...))
	}
	m.mailbox, m.gather, m.commit = stage(stageMailbox), stage(stageGather), stage(stageCommit)
	m.publish, m.render, m.write = stage(stagePublish), stage(stageRender), stage(stageWrite)
}

func (r *relayMeters) make(meter oponn.Meter) {
	round := func(result string) oponn.Counter {
		return meter.Counter(oponn.Metric{Name: "oponn_relay_rounds_total", Labels: oponn.Labels{"result": result},
			Help: "Rounds in which notices were handed to the bus; of a failed one, some may be lost."})
	}
	r.published, r.failed = round("done"), round("failed")
	r.notices = meter.Counter(oponn.Metric{Name: "oponn_relay_notices_total", Help: "Notices in these rounds."})
	sweep := func(result string) oponn.Counter {
		return meter.Counter(oponn.Metric{Name: "oponn_relay_sweeps_total", Labels: oponn.Labels{"result": result},
			Help: "Queries for watched ballots that were not heard of."})
	}
	r.heals, r.healFailed = sweep("done"), sweep("failed")
	r.healed = meter.Counter(oponn.Metric{Name: "oponn_relay_swept_ballots_total", Help: "Watched ballots that were asked for."})
}

// limits shows what an instance carries beside the most that it does.
func (s *System) limits(meter oponn.Meter) {
	for _, limit := range []struct {
		name, help string
		most       int
	}{
		{"oponn_streams_limit", "Open streams that are let in at most.", s.cfg.MaxStreams},
		{"oponn_ballots_awake_limit", "Ballots in memory at most.", s.cfg.MaxAwake},
		{"oponn_requests_in_flight_limit", "Requests to ballots that may wait at once.", s.cfg.MaxInFlight},
		{"oponn_requests_in_flight_per_ballot_limit", "Requests that may wait for one ballot when another is to be written.", s.cfg.MaxPerBallot},
	} {
		meter.Gauge(oponn.Metric{Name: limit.name, Help: limit.help}, func() float64 { return float64(limit.most) })
	}
	meter.Gauge(oponn.Metric{Name: "oponn_ballots_awake", Help: "Ballots in memory."},
		func() float64 { return float64(s.meters.awake.Load()) })
	meter.Gauge(oponn.Metric{Name: "oponn_requests_in_flight", Help: "Requests to ballots that wait for their answer."}, s.admission.waiting)
	meter.Gauge(oponn.Metric{Name: "oponn_requests_in_flight_per_ballot_max",
		Help: "Requests that wait for the ballot that most wait for."}, s.admission.fullest)
}

// opened counts a stream that was opened, left one that has ended; open is how
// many there are now.
func (m *meters) opened(open int) {
	m.streams.open.Store(int64(open))
	m.streams.opened.Add(1)
	m.subscribers.spawned.Add(1)
}

func (m *meters) left(open int, reason oponn.EndReason) {
	m.streams.open.Store(int64(open))
	m.subscribers.stopped.Add(1)
	if m.streams.ended[reason] == nil {
		reason = endLeft
	}
	m.streams.ended[reason].Add(1)
}

// letterKinds are the kinds of messages that dead letters are counted by.
var letterKinds = []string{"vote", "result", "change", "watch", "open_stream", "batch", "committed", "join", "left", "crowd", "other"}

func letterKind(message any) string {
	switch message.(type) {
	case *castVote:
		return "vote"
	case *getResult:
		return "result"
	case *changeBallot:
		return "change"
	case *watchBallot:
		return "watch"
	case *openStream:
		return "open_stream"
	case *appendBatch:
		return "batch"
	case *committed:
		return "committed"
	case *join:
		return "join"
	case *left:
		return "left"
	case *crowd:
		return "crowd"
	default:
		return "other"
	}
}
