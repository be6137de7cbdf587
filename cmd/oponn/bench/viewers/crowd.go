// Package viewers is the audience of a load test: very many event streams,
// cheap enough that the machine is left to the server. On Linux and over plain
// HTTP one loop with epoll serves all viewers of a process, each of which is a
// few hundred bytes; elsewhere, and over TLS, each has a goroutine. More than
// one process may open are spread over several (see Process).
package viewers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
)

// Config is what a crowd does. Viewer i of all watches ballot i modulo their
// number at target i modulo theirs.
type Config struct {
	// Targets are URLs: scheme and host.
	Targets []string `json:"targets"`
	// Paths are those of the streams, one for each ballot.
	Paths []string `json:"paths"`
	// Viewers is how many this crowd has, of Total; its first is First.
	Viewers int `json:"viewers"`
	First   int `json:"first"`
	Total   int `json:"total"`
	// Begin is when the first of all joins (on the monotonic clock); the
	// others follow evenly within Join.
	Begin int64         `json:"begin"`
	Join  time.Duration `json:"join"`
	// Sources are local addresses to spread connections over; may be empty.
	Sources []string `json:"sources"`
	// Insecure accepts every certificate.
	Insecure bool `json:"insecure"`
}

// Progress is how far a crowd is.
type Progress struct {
	// Joined is how many have got a first frame, Watching how many streams are
	// open now, Gone how many have ended for good or given up.
	Joined   int `json:"joined"`
	Watching int `json:"watching"`
	Gone     int `json:"gone"`
	// Frames is how many have come.
	Frames int64 `json:"frames"`
	// Behind is how many streams have not got the version yet that Expect
	// named; -1 before that has been counted.
	Behind int `json:"behind"`
	// CPU is what the process has used, where it is one of its own.
	CPU time.Duration `json:"cpu"`
}

// Result is what a crowd saw.
type Result struct {
	Joined   int            `json:"joined"`
	Watching int            `json:"watching"` // at the end
	Frames   int64          `json:"frames"`
	Bytes    int64          `json:"bytes"`
	Refused  map[string]int `json:"refused"` // by status and code
	// Broken is how many streams broke, Reconnects how many were opened again.
	Broken     int `json:"broken"`
	Reconnects int `json:"reconnects"`
	GaveUp     int `json:"gave_up"`
	Ended      int `json:"ended"`
	// Conflated is how many versions were skipped because a later one came.
	Conflated int64 `json:"conflated"`
	// Backward is how many frames had a lower version than one before.
	Backward int64 `json:"backward"`
	// Stale is how many viewers have joined and not got the final version.
	Stale int `json:"stale"`
	// FirstFrame is the time from joining to the first frame in µs.
	FirstFrame *hdrhistogram.Snapshot `json:"first_frame"`
	// PerSecond counts frames by the second since Begin.
	PerSecond []int64 `json:"per_second"`
	// Arrivals are a sample of all frames but the first ones, each standing
	// for Weight of its kind.
	Arrivals []Arrivals `json:"arrivals"`
	Weight   int        `json:"weight"`
}

// Crowd is an audience under way. It is safe for concurrent use.
type Crowd interface {
	Progress() Progress
	// Expect names the final version of each ballot.
	Expect(final []uint64)
	// Stop ends all streams and returns what was seen.
	Stop() (*Result, error)
}

// Gather starts a crowd in this process. The context ends it early; Stop has to
// be called all the same.
func Gather(ctx context.Context, c Config) (Crowd, error) {
	if len(c.Targets) == 0 || len(c.Paths) == 0 || c.Viewers < 1 {
		return nil, errors.New("viewers: no targets, no paths, or no viewers")
	}
	for _, target := range c.Targets {
		u, err := url.Parse(target)
		if err != nil {
			return nil, err
		}
		if u.Scheme != "http" {
			return gatherOrdinary(ctx, c)
		}
	}
	return gatherCheap(ctx, c)
}

// Bounds on what a viewer puts up with.
const (
	mostTries   = 10
	leastPause  = 100 * time.Millisecond
	mostPause   = 30 * time.Second
	mostSeconds = 2 * 60 * 60
	// mostVersions bounds a first frame's time in the histogram.
	mostWait = 5 * time.Minute
)

// viewer is what is known of one.
type viewer struct {
	version uint64
	due     int64 // when it is to join, on the monotonic clock
	ballot  int32
	target  int32
	retry   int32 // ms; zero: the server didn't say
	tries   uint8 // failures in a row
	seen    bool  // has got a frame
	gone    bool
}

func newViewer(c *Config, i int) viewer {
	n := c.First + i
	due := c.Begin
	if c.Total > 1 {
		due += int64(c.Join) / int64(c.Total) * int64(n)
	}
	return viewer{due: due, ballot: int32(n % len(c.Paths)), target: int32(n % len(c.Targets))}
}

// pause returns how long a viewer stays away.
func (v *viewer) pause(chance func(n int64) int64) time.Duration {
	pause := time.Duration(v.retry) * time.Millisecond
	if pause == 0 {
		pause = leastPause << min(v.tries, 8)
		pause += time.Duration(chance(int64(pause)))
	}
	return min(max(pause, leastPause), mostPause)
}

// notes gather a result.
type notes struct {
	config  *Config
	result  Result
	ledger  *ledger
	first   *hdrhistogram.Histogram
	final   []uint64
	refused map[string]int
}

func newNotes(c *Config) *notes {
	return &notes{config: c, ledger: newLedger(), refused: map[string]int{},
		first: hdrhistogram.New(1, mostWait.Microseconds(), 3)}
}

// frame notes a frame that came to a viewer.
func (n *notes) frame(v *viewer, version uint64, at int64) {
	n.result.Frames++
	if second := (at - n.config.Begin) / int64(time.Second); second >= 0 && second < mostSeconds {
		if missing := int(second) + 1 - len(n.result.PerSecond); missing > 0 {
			n.result.PerSecond = append(n.result.PerSecond, make([]int64, missing)...)
		}
		n.result.PerSecond[second]++
	}
	v.tries = 0
	switch {
	case !v.seen:
		v.seen = true
		n.result.Joined++
		_ = n.first.RecordValue(min(max((at-v.due)/int64(time.Microsecond), 1), mostWait.Microseconds()))
	case version < v.version:
		n.result.Backward++
		return
	case version > v.version:
		n.result.Conflated += int64(version - v.version - 1)
		n.ledger.add(span{v.ballot, v.version, version}, at)
	}
	v.version = version
}

// behind says whether a viewer that has joined lacks the final version.
func (n *notes) behind(v *viewer) bool {
	return v.seen && !v.gone && int(v.ballot) < len(n.final) && v.version < n.final[v.ballot]
}

// lost notes that a viewer lost its stream, and says whether it comes back.
func (n *notes) lost(v *viewer, why string) (again bool) {
	v.tries++
	switch {
	case v.gone:
		n.result.Ended++
		return false
	case v.tries >= mostTries:
		v.gone = true
		n.result.GaveUp++
		return false
	case why == lostConnecting:
		n.refuse("no connection")
	case why == lostBroken:
		n.result.Broken++
	}
	n.result.Reconnects++
	return true
}

// Why a stream was lost.
const (
	lostConnecting = "connecting"
	lostRefused    = "refused"
	lostTold       = "told"
	lostBroken     = "broken"
)

func (n *notes) refuse(reason string) {
	if len(n.refused) < 100 || n.refused[reason] > 0 {
		n.refused[reason]++
	}
}

// finish returns the result.
func (n *notes) finish(stale int) *Result {
	r := n.result
	r.Refused, r.Stale = n.refused, stale
	r.FirstFrame = n.first.Export()
	r.Arrivals, r.Weight = n.ledger.all(), n.ledger.weight()
	return &r
}

// Join adds up results.
func Join(results []*Result) *Result {
	sum := &Result{Refused: map[string]int{}, Weight: 1}
	first := hdrhistogram.New(1, mostWait.Microseconds(), 3)
	for _, r := range results {
		sum.Joined += r.Joined
		sum.Watching += r.Watching
		sum.Frames += r.Frames
		sum.Bytes += r.Bytes
		sum.Broken += r.Broken
		sum.Reconnects += r.Reconnects
		sum.GaveUp += r.GaveUp
		sum.Ended += r.Ended
		sum.Conflated += r.Conflated
		sum.Backward += r.Backward
		sum.Stale += r.Stale
		for reason, n := range r.Refused {
			sum.Refused[reason] += n
		}
		if r.FirstFrame != nil {
			first.Merge(hdrhistogram.Import(r.FirstFrame))
		}
		for second, n := range r.PerSecond {
			if second == len(sum.PerSecond) {
				sum.PerSecond = append(sum.PerSecond, 0)
			}
			sum.PerSecond[second] += n
		}
	}
	sum.FirstFrame = first.Export()
	return sum
}

// head appends what opens a viewer's stream.
func (v *viewer) head(dst []byte, c *Config, host string) []byte {
	dst = append(append(append(dst, "GET "...), c.Paths[v.ballot]...), " HTTP/1.1\r\nHost: "...)
	dst = append(append(dst, host...), "\r\nAccept: text/event-stream\r\n"...)
	if v.seen {
		dst = append(appendNumber(append(dst, "Last-Event-ID: "...), v.version), "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

func now() int64 { return monotonic.Now() }

func clone(versions []uint64) []uint64 { return slices.Clone(versions) }

// reason names a refusal by its status and the code in a problem document.
func reason(status int, b []byte) string {
	_, code, found := bytes.Cut(b, []byte(`"code":"`))
	if end := bytes.IndexByte(code, '"'); found && end > 0 && end < 40 {
		return fmt.Sprintf("%d %s", status, code[:end])
	}
	return strconv.Itoa(status)
}
