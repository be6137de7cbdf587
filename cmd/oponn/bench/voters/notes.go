package voters

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Second is what happened within one second of the run.
type Second struct {
	Acknowledged, Refused int64
	// P50 and P99 are of vote-to-acknowledgement.
	P50, P99 time.Duration
}

// Count is what came of the votes on one option.
type Count struct {
	Acknowledged int64
	// Unknown may have been counted or not.
	Unknown int64
}

// Result is what voters saw. Histograms are in µs.
type Result struct {
	// Begun is how many votes there were; each has ended as one of the next
	// three.
	Begun, Acknowledged, GivenUp, Unknown int64
	// Attempts is how often votes were sent, Retries how often once more.
	Attempts, Retries int64
	// Repeats were sent after an acknowledgement; RepeatsWrong got another
	// answer than the first time.
	Repeats, RepeatsWrong int64
	// Refused counts answers that were no acknowledgement, by status and code.
	Refused map[string]int64
	// Options is what came of the votes by ballot and option.
	Options [][]Count
	// Versions is the highest one of each ballot that was acknowledged.
	Versions []uint64
	// Acknowledgement is the time to the final answer, Refusal that to one
	// that is none, Page that of a page, Late how much later than it wanted
	// the tester itself was with a vote that was due.
	Acknowledgement, Refusal, Page, Late *hdrhistogram.Histogram
	PerSecond                            []Second
	// Begin and End are on the monotonic clock. End is when the last vote was
	// acknowledged, or that of the time given if that is earlier.
	Begin, End int64
	Samples    []Sample
}

// Sample is an acknowledged vote that stands for Weight of its kind.
type Sample struct {
	Ballot  int
	Version uint64
	Sent    int64 // on the monotonic clock
	Weight  int64
}

// Bounds of what is kept.
const (
	mostSamples = 1 << 20
	mostSeconds = 2 * 60 * 60
	mostReasons = 100
	longest     = 10 * time.Minute
)

// sample is a Sample before its weight is known.
type sample struct {
	Version uint64
	Sent    int64
	Ballot  int32
}

// samples keeps every n-th vote; when there are too many, every second one of
// those goes.
type samples struct {
	kept   []sample
	most   int
	stride int
	skip   int
}

func newSamples(voters int) samples {
	return samples{most: max(mostSamples/voters, 64), stride: 1}
}

func (s *samples) add(v sample) {
	if s.skip > 0 {
		s.skip--
		return
	}
	if len(s.kept) == s.most {
		for i := range s.most / 2 {
			s.kept[i] = s.kept[2*i]
		}
		s.kept = s.kept[:s.most/2]
		s.stride *= 2
	}
	s.kept = append(s.kept, v)
	s.skip = s.stride - 1
}

// notes gather a result. They are safe for concurrent use.
type notes struct {
	requests requests

	mu     sync.Mutex
	result Result
	begin  int64
	// second is which one interval is about.
	second   int
	interval *hdrhistogram.Histogram
	lastAck  int64
	refused  int64
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest.Microseconds(), 3) }

func newNotes(c *Config) *notes {
	n := &notes{requests: newRequests(c), interval: hdrhistogram.New(1, longest.Microseconds(), 2)}
	n.result = Result{Refused: map[string]int64{}, Acknowledgement: newHistogram(), Refusal: newHistogram(), Page: newHistogram(), Late: newHistogram()}
	n.result.Versions = make([]uint64, len(c.Ballots))
	for _, b := range c.Ballots {
		n.result.Options = append(n.result.Options, make([]Count, len(b.Options)))
	}
	return n
}

func (n *notes) start(begin int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begin, n.result.Begin = begin, begin
}

func (n *notes) progress() Progress {
	n.mu.Lock()
	defer n.mu.Unlock()
	return Progress{Acknowledged: n.result.Acknowledged, Refused: n.refused}
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), longest.Microseconds()))
}

// at returns the second of a time.
func (n *notes) at(now int64) *Second {
	second := min(max(int((now-n.begin)/int64(time.Second)), n.second), mostSeconds)
	for len(n.result.PerSecond) <= second {
		n.result.PerSecond = append(n.result.PerSecond, Second{})
	}
	if second > n.second {
		n.closeSecond()
		n.second = second
	}
	return &n.result.PerSecond[second]
}

func (n *notes) closeSecond() {
	if n.interval.TotalCount() == 0 || n.second >= len(n.result.PerSecond) {
		return
	}
	s := &n.result.PerSecond[n.second]
	s.P50 = time.Duration(n.interval.ValueAtQuantile(50)) * time.Microsecond
	s.P99 = time.Duration(n.interval.ValueAtQuantile(99)) * time.Microsecond
	n.interval.Reset()
}

func (n *notes) acknowledge(v *vote, version uint64, now int64, latency time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.result.Acknowledged++
	n.result.Attempts += int64(v.tries)
	n.result.Retries += int64(v.tries - 1)
	n.result.Options[v.ballot][v.option].Acknowledged++
	n.result.Versions[v.ballot] = max(n.result.Versions[v.ballot], version)
	record(n.result.Acknowledgement, latency)
	n.at(now).Acknowledged++
	record(n.interval, latency)
	n.lastAck = max(n.lastAck, now)
}

func (n *notes) refuse(reason string, took time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.result.Refused) >= mostReasons && n.result.Refused[reason] == 0 {
		reason = "other"
	}
	n.result.Refused[reason]++
	if n.second < len(n.result.PerSecond) {
		n.result.PerSecond[n.second].Refused++
	}
	n.refused++
	if took > 0 { // else nobody has refused it
		record(n.result.Refusal, took)
	}
}

// drop ends a vote that could not be sent in its time.
func (n *notes) drop(v *vote) {
	n.refuse("overdue, not sent", 0)
	n.giveUp(v)
}

// giveUp ends a vote without an acknowledgement.
func (n *notes) giveUp(v *vote) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.result.Attempts += int64(v.tries)
	n.result.Retries += int64(max(v.tries-1, 0))
	if v.maybe {
		n.result.Unknown++
		n.result.Options[v.ballot][v.option].Unknown++
		return
	}
	n.result.GivenUp++
}

func (n *notes) repeated(right bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.result.Repeats++
	if !right {
		n.result.RepeatsWrong++
	}
}

func (n *notes) visited(took time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	record(n.result.Page, took)
}

func (n *notes) late(by int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	record(n.result.Late, time.Duration(by))
}

// handIn takes a voter's sample.
func (n *notes) handIn(s *samples) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, v := range s.kept {
		n.result.Samples = append(n.result.Samples, Sample{Ballot: int(v.Ballot), Version: v.Version, Sent: v.Sent, Weight: int64(s.stride)})
	}
}

func (n *notes) finish(end int64) *Result {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closeSecond()
	r := n.result
	r.Begun = r.Acknowledged + r.GivenUp + r.Unknown
	if r.End = n.lastAck; r.End == 0 || r.End > end {
		r.End = end
	}
	return &r
}
