package http

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/export"
	"github.com/oponn/oponn/views/locales"
)

// event is one message of an event stream (HTML Standard, section 9.2).
type event struct {
	name  string // empty: a plain message
	id    uint64 // zero: none
	retry time.Duration
	data  []byte
}

// append appends the event as it is sent. Data of several lines become
// several data fields.
func (e event) append(dst []byte) []byte {
	if e.name != "" {
		dst = append(append(append(dst, "event: "...), e.name...), '\n')
	}
	if e.id > 0 {
		dst = append(strconv.AppendUint(append(dst, "id: "...), e.id, 10), '\n')
	}
	if e.retry > 0 {
		dst = append(strconv.AppendInt(append(dst, "retry: "...), e.retry.Milliseconds(), 10), '\n')
	}
	for line := range bytes.SplitSeq(bytes.ReplaceAll(e.data, []byte("\r"), []byte("\n")), []byte("\n")) {
		dst = append(append(append(dst, "data: "...), line...), '\n')
	}
	return append(dst, '\n')
}

// dialect is how a stream speaks: HTML fragments to pages, JSON to programs.
// One serves all viewers of its kind.
type dialect struct {
	oponn.Group
	// onlooker is who it is spoken to, unless it tells nobody of votes.
	onlooker oponn.Onlooker
	silent   bool
	route    string // for the log
	beat     func(now time.Time) []byte
	// end is the data of the event that ends a stream for good.
	end func(oponn.EndReason) []byte
	// busy names the event that sends a viewer away to come back later.
	busy string
	// last is the heartbeat made last: all viewers are due at once.
	last atomic.Pointer[heartbeat]
}

// heartbeat is a sign of life as it is sent.
type heartbeat struct {
	at    time.Time
	bytes []byte
}

// dialects are those of one kind, one for each class of onlookers.
type dialects map[oponn.Onlooker]*dialect

// classes are the classes of onlookers, with what tells their groups apart.
var classes = map[oponn.Onlooker]string{{}: "", {Voted: true}: "/voted", {Owner: true}: "/owner", {Owner: true, Projected: true}: "/projector"}

// pageDialects are spoken to htmx. A fragment serves all viewers of a language
// and class.
func pageDialects(l *locales.Locale) dialects {
	all := make(dialects, len(classes))
	for o, class := range classes {
		all[o] = &dialect{
			Group: oponn.Group{Name: "html/" + l.Lang() + class, Render: func(b oponn.Snapshot) ([]byte, int) {
				var fragment bytes.Buffer
				// Neither the buffer nor the data can make it fail.
				_ = views.ResultFragment(l, resultData(b, o)).Render(context.Background(), &fragment)
				e := event{data: fragment.Bytes()}
				if b.ShowsCounts(o) {
					e.id = b.Version
				}
				return e.append(make([]byte, 0, fragment.Len()+64)), 0
			}},
			onlooker: o, route: routePageStream,
			beat: pageBeat,
			end:  pageEnd,
			busy: "busy",
		}
	}
	return all
}

// statusDialect is spoken to pages on which one votes: it tells how the ballot
// is in its life, and nothing of votes, nor of versions, to all alike.
func statusDialect(l *locales.Locale) *dialect {
	return &dialect{
		Group: oponn.Group{Name: "status/" + l.Lang(), Render: func(b oponn.Snapshot) ([]byte, int) {
			var fragment bytes.Buffer
			_ = views.StatusFragment(l, b.State.Status, b.State.OpensAt, b.State.ClosesAt, b.State.ClosedAt).Render(context.Background(), &fragment)
			return event{data: fragment.Bytes()}.append(make([]byte, 0, fragment.Len()+64)), 0
		}},
		silent: true,
		route:  routePageStream,
		beat:   pageBeat,
		end:    pageEnd,
		busy:   "busy",
	}
}

func pageBeat(now time.Time) []byte         { return []byte(now.UTC().Format(beatTime)) }
func pageEnd(reason oponn.EndReason) []byte { return []byte(reason) }

// apiDialects are spoken to programs. Their end carries a reason, and a time to
// come back unless it is for good. A change of status is told in the prelude.
// Whoever may not see the counts is told of nothing else, and of no version:
// that would tell how many have voted.
func apiDialects() dialects {
	all := make(dialects, len(classes))
	for o, class := range classes {
		all[o] = &dialect{
			Group: oponn.Group{Name: "json" + class, Render: func(b oponn.Snapshot) ([]byte, int) {
				status := event{name: "status", data: mustJSON(newStatusDocument(b))}.append(nil)
				if !b.ShowsCounts(o) {
					return status, 0
				}
				return event{name: "tally", id: b.Version, data: mustJSON(export.NewResults(b, o))}.append(status), len(status)
			}},
			onlooker: o, route: routeAPIStream,
			beat: func(now time.Time) []byte { return mustJSON(map[string]string{"at": now.UTC().Format(beatTime)}) },
			end:  func(reason oponn.EndReason) []byte { return mustJSON(map[string]oponn.EndReason{"reason": reason}) },
			busy: "end",
		}
	}
	return all
}

// beatTime is the server's clock, to the millisecond.
const beatTime = "2006-01-02T15:04:05.000Z"

// news returns the bytes of a frame for a viewer who got the given version
// last, zero for none: without the prelude when that is known. The first one
// is known, too: the frame says the same.
func news(frame *oponn.Frame, shown uint64) []byte {
	if shown == 0 || frame.Since <= shown {
		return frame.Bytes[frame.Prelude:]
	}
	return frame.Bytes
}

// statusDocument has no version: it changes with what it says alone.
type statusDocument struct {
	Ballot   string       `json:"ballot"`
	Status   oponn.Status `json:"status"`
	OpensAt  *string      `json:"opens_at"`
	ClosesAt *string      `json:"closes_at"`
	ClosedAt *string      `json:"closed_at"`
}

func newStatusDocument(b oponn.Snapshot) statusDocument {
	return statusDocument{Ballot: b.Ballot.ID.String(), Status: b.State.Status,
		OpensAt: moment(b.State.OpensAt), ClosesAt: moment(b.State.ClosesAt), ClosedAt: moment(b.State.ClosedAt)}
}

// hello is a stream's first event: the clock, and how soon to come back should
// the connection break, different for each viewer.
func (d *dialect) hello(now time.Time) []byte {
	return event{name: "beat", retry: jitter(time.Second), data: d.beat(now)}.append(nil)
}

// heartbeat returns a sign of life, to be shared and not changed: the same one
// for a tenth of a second.
func (d *dialect) heartbeat(now time.Time) []byte {
	if last := d.last.Load(); last != nil && now.Sub(last.at) < 100*time.Millisecond {
		return last.bytes
	}
	beat := &heartbeat{at: now, bytes: event{name: "beat", data: d.beat(now)}.append(nil)}
	d.last.Store(beat)
	return beat.bytes
}

// farewell is a stream's last event.
func (d *dialect) farewell(reason oponn.EndReason, after time.Duration) []byte {
	if reason == oponn.EndClosed || reason == oponn.EndGone {
		return event{name: "end", data: d.end(reason)}.append(nil)
	}
	return event{name: d.busy, retry: jitter(after), data: d.end(reason)}.append(nil)
}

// jitter spreads a crowd: between once and three times as long.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(2*d) //nolint:gosec // chance is all it has to be
}

// mustJSON encodes what can always be encoded.
func mustJSON(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return b
}
