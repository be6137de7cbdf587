// Package report is what a load test found: as JSON, as a table, as a page with
// plots, beside another one, and held against thresholds.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what a load test found. Its JSON is described in docs/bench.md;
// fields are added but not renamed. Times end in _ms or _us and are in
// milli- or microseconds, memory is in bytes.
type Report struct {
	Format  int       `json:"format"` // 1
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Machine Machine   `json:"machine"`
	Plan    any       `json:"plan"`
	// Seconds is how long votes were cast, or viewers watched where there are
	// no votes.
	Seconds float64  `json:"seconds"`
	Votes   *Votes   `json:"votes,omitempty"`
	Viewers *Viewers `json:"viewers,omitempty"`
	// Screen is vote-to-screen: from sending a vote to the first frame that
	// holds it, at every viewer.
	Screen  *Latency `json:"screen,omitempty"`
	Checks  Checks   `json:"checks"`
	Tester  Tester   `json:"tester"`
	Servers []Server `json:"servers,omitempty"`
	Series  []Point  `json:"series"`
	// Warnings say what makes the numbers doubtful.
	Warnings []string `json:"warnings,omitempty"`
}

// Machine is where it ran.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

// Votes are what became of the votes.
type Votes struct {
	Begun        int64 `json:"begun"`
	Acknowledged int64 `json:"acknowledged"`
	GivenUp      int64 `json:"given_up"`
	Unknown      int64 `json:"unknown"`
	Attempts     int64 `json:"attempts"`
	Retries      int64 `json:"retries"`
	Repeats      int64 `json:"repeats"`
	// PerSecond is the rate of acknowledgements, without the ramp.
	PerSecond float64 `json:"per_second"`
	// Refused counts answers by status and code.
	Refused         map[string]int64 `json:"refused,omitempty"`
	Acknowledgement Latency          `json:"acknowledgement"`
	Refusal         *Latency         `json:"refusal,omitempty"`
	Page            *Latency         `json:"page,omitempty"`
	// TokensMeanwhile is how many voter tokens the server made while votes
	// were cast: they are part of its CPU time.
	TokensMeanwhile int64 `json:"tokens_meanwhile"`
}

// RefusedCount is how many answers were no acknowledgement.
func (v *Votes) RefusedCount() (n int64) {
	for _, count := range v.Refused {
		n += count
	}
	return n
}

// Viewers are what became of the viewers.
type Viewers struct {
	Wanted     int            `json:"wanted"`
	Joined     int            `json:"joined"`
	Watching   int            `json:"watching"` // at the end
	Processes  int            `json:"processes"`
	Frames     int64          `json:"frames"`
	PerSecond  float64        `json:"per_second"` // frames
	Bytes      int64          `json:"bytes"`
	Conflated  int64          `json:"conflated"`
	Refused    map[string]int `json:"refused,omitempty"`
	Broken     int            `json:"broken"`
	Reconnects int            `json:"reconnects"`
	GaveUp     int            `json:"gave_up"`
	Ended      int            `json:"ended"`
	// JoinSeconds is how long it took until all had a frame; zero if some
	// never had one before votes began.
	JoinSeconds float64 `json:"join_seconds"`
	// FirstFrame is the time from joining to the first frame.
	FirstFrame Latency `json:"first_frame"`
}

// Checks hold what was seen against the final results.
type Checks struct {
	// Lost votes were acknowledged and are not in the result, Doubled ones are
	// in it beyond all that were sent.
	Lost    int64 `json:"lost"`
	Doubled int64 `json:"doubled"`
	// Stale viewers joined and never got the final version, Backward frames had a lower
	// version than one before at the same viewer.
	Stale    int64 `json:"stale"`
	Backward int64 `json:"backward"`
	// RepeatsWrong is how many repeats were answered otherwise than the vote.
	RepeatsWrong int64 `json:"repeats_wrong"`
	// Counted is how many votes the results have more than before.
	Counted int64 `json:"counted"`
}

// Tester is what the load tester itself used.
type Tester struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	// CPUShare is its part of the machine while votes were cast.
	CPUShare  float64 `json:"cpu_share"`
	VotersUS  float64 `json:"voters_us_per_attempt"`
	ViewersUS float64 `json:"viewers_us_per_frame"`
	// Late is by how much it was late itself with votes that were due.
	Late *Latency `json:"late,omitempty"`
}

// Server is what a server used whose process was named, with its children.
type Server struct {
	PID        int     `json:"pid"`
	Name       string  `json:"name"`
	CPUSeconds float64 `json:"cpu_seconds"` // while votes were cast
	USPerVote  float64 `json:"us_per_vote"`
	USPerFrame float64 `json:"us_per_frame"`
	// Memory at the start, with all viewers idle, at the end, and at most.
	MemoryStart     int64   `json:"memory_start"`
	MemoryIdle      int64   `json:"memory_idle"`
	MemoryEnd       int64   `json:"memory_end"`
	MemoryMost      int64   `json:"memory_most"`
	BytesPerViewer  int64   `json:"bytes_per_viewer"`
	JoinUSPerViewer float64 `json:"join_us_per_viewer"`
}

// Point is one second of the run.
type Point struct {
	Second       int     `json:"t"`
	Acknowledged int64   `json:"acknowledged"`
	Refused      int64   `json:"refused"`
	Frames       int64   `json:"frames"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
}

// Latency is a distribution of times.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
	// Curve is the whole distribution, for plots.
	Curve []Quantile `json:"curve,omitempty"`
}

// Quantile says that a share of the times is at most so long.
type Quantile struct {
	Share float64 `json:"share"`
	Time  float64 `json:"ms"`
}

// NewLatency reads a histogram in µs. It is nil when the histogram is empty.
func NewLatency(h *hdrhistogram.Histogram) *Latency {
	if h == nil || h.TotalCount() == 0 {
		return nil
	}
	at := func(percent float64) float64 { return float64(h.ValueAtQuantile(percent)) / 1000 }
	l := &Latency{Count: h.TotalCount(), Mean: h.Mean() / 1000, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / 1000}
	for _, share := range shares {
		l.Curve = append(l.Curve, Quantile{share, at(100 * share)})
		if float64(h.TotalCount())*(1-share) < 1 {
			break
		}
	}
	return l
}

// shares are those of a curve: evenly spaced by the number of nines.
var shares = func() (s []float64) {
	s = append(s, 0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85)
	for nine := 0.1; nine > 5e-6; nine /= 10 {
		for _, part := range []float64{1, 0.7, 0.5, 0.35, 0.2, 0.14} {
			s = append(s, 1-nine*part)
		}
	}
	return s
}()

// Write writes the report as JSON.
func (r *Report) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Read reads what Write wrote.
func Read(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("report: this is no report: %w", err)
	}
	if r.Format != 1 {
		return nil, fmt.Errorf("report: format %d is unknown", r.Format)
	}
	return &r, nil
}
