package bench

import (
	"fmt"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/oponn/oponn/cmd/oponn/bench/report"
	"github.com/oponn/oponn/cmd/oponn/bench/viewers"
	"github.com/oponn/oponn/cmd/oponn/bench/voters"
)

// report puts together what was found.
func (t *test) report() *report.Report {
	seen := viewers.Join(t.crowds)
	r := &report.Report{
		Format: 1, Version: t.plan.Version, Started: t.started.UTC(), Machine: machine(), Plan: t.plan,
		Seconds: time.Duration(t.endedVoting - t.beganVoting).Seconds(),
	}
	if t.votes != nil {
		r.Votes = t.reportVotes()
	}
	if t.plan.Viewers > 0 {
		r.Viewers = t.reportViewers(seen)
		if t.votes != nil {
			r.Screen = report.NewLatency(screen(t.votes.Samples, t.crowds))
		}
	}
	r.Checks = t.check(seen)
	r.Tester = t.reportTester()
	r.Servers = t.reportServers(seen)
	r.Series = t.series(seen)
	r.Warnings = t.warnings(r)
	return r
}

func (t *test) reportVotes() *report.Votes {
	v := t.votes
	out := &report.Votes{
		Begun: v.Begun, Acknowledged: v.Acknowledged, GivenUp: v.GivenUp, Unknown: v.Unknown, Attempts: v.Attempts,
		Retries: v.Retries, Repeats: v.Repeats, Refused: v.Refused, Refusal: report.NewLatency(v.Refusal),
		Page: report.NewLatency(v.Page), TokensMeanwhile: t.tokensAfter - t.tokensBefore, PerSecond: steadyRate(v, t.plan.Ramp),
	}
	if l := report.NewLatency(v.Acknowledgement); l != nil {
		out.Acknowledgement = *l
	}
	return out
}

// steadyRate returns the rate of acknowledgements after the ramp, counted in
// whole seconds where there are any.
func steadyRate(v *voters.Result, ramp time.Duration) float64 {
	from := int((ramp + time.Second - 1) / time.Second)
	to := int((v.End - v.Begin) / int64(time.Second)) // seconds that are complete
	if to-from < 1 || to > len(v.PerSecond) {
		if took := time.Duration(v.End - v.Begin).Seconds(); took > 0 {
			return float64(v.Acknowledged) / took
		}
		return 0
	}
	var n int64
	for _, s := range v.PerSecond[from:to] {
		n += s.Acknowledged
	}
	return float64(n) / float64(to-from)
}

func (t *test) reportViewers(seen *viewers.Result) *report.Viewers {
	out := &report.Viewers{
		Wanted: t.plan.Viewers, Joined: seen.Joined, Watching: seen.Watching, Frames: seen.Frames, Bytes: seen.Bytes,
		Conflated: seen.Conflated, Refused: seen.Refused, Broken: seen.Broken, Reconnects: seen.Reconnects,
		GaveUp: seen.GaveUp, Ended: seen.Ended, JoinSeconds: t.audience.took.Seconds(),
		PerSecond: float64(t.framesWhileVoting()) / time.Duration(t.endedVoting-t.beganVoting).Seconds(),
	}
	if t.audience.apart {
		out.Processes = len(t.audience.crowds)
	}
	if l := report.NewLatency(hdrhistogram.Import(seen.FirstFrame)); l != nil {
		out.FirstFrame = *l
	}
	return out
}

// offset is how many seconds after the viewers the voters began.
func (t *test) offset() int {
	if t.plan.Viewers == 0 {
		return 0
	}
	return int(time.Duration(t.beganVoting-t.audience.began).Round(time.Second) / time.Second)
}

// framesWhileVoting is how many frames came, to the last tenth of a second.
func (t *test) framesWhileVoting() int64 { return t.watched.Frames - t.watching.Frames }

// check holds what was acknowledged against the results.
func (t *test) check(seen *viewers.Result) report.Checks {
	c := report.Checks{Stale: int64(seen.Stale), Backward: seen.Backward}
	for i, b := range t.ballots {
		c.Counted += t.after[i].Votes - t.before[i].Votes
		if t.votes == nil {
			continue
		}
		for o, id := range b.Options {
			sent := t.votes.Options[i][o]
			counted := t.after[i].of(id) - t.before[i].of(id)
			c.Lost += max(0, sent.Acknowledged-counted)
			c.Doubled += max(0, counted-sent.Acknowledged-sent.Unknown)
		}
	}
	if t.votes != nil {
		c.RepeatsWrong = t.votes.RepeatsWrong
	}
	return c
}

func (t *test) reportTester() report.Tester {
	here, apart := t.cpuEnd-t.cpuVote, t.watched.CPU-t.watching.CPU
	out := report.Tester{CPUSeconds: (here + apart).Seconds()}
	took := time.Duration(t.endedVoting - t.beganVoting).Seconds()
	out.CPUShare = out.CPUSeconds / took / float64(runtime.NumCPU())
	if t.votes != nil {
		out.Late = report.NewLatency(t.votes.Late)
		if t.votes.Attempts > 0 && (t.audience.apart || t.plan.Viewers == 0) {
			out.VotersUS = float64(here.Microseconds()) / float64(t.votes.Attempts)
		}
	}
	switch frames := float64(t.framesWhileVoting()); {
	case frames == 0:
	case t.audience.apart:
		out.ViewersUS = float64(apart.Microseconds()) / frames
	case t.votes == nil:
		out.ViewersUS = float64(here.Microseconds()) / frames
	}
	return out
}

func (t *test) reportServers(seen *viewers.Result) (servers []report.Server) {
	most := t.watch.highest()
	for _, pid := range t.plan.PIDs {
		start, idle, vote, end := t.atStart[pid], t.atIdle[pid], t.atVote[pid], t.atEnd[pid]
		s := report.Server{
			PID: pid, Name: end.Name, CPUSeconds: (end.CPU - vote.CPU).Seconds(),
			MemoryStart: start.Memory, MemoryIdle: idle.Memory, MemoryEnd: end.Memory, MemoryMost: most[pid],
		}
		if t.votes != nil && t.votes.Acknowledged > 0 {
			s.USPerVote = float64((end.CPU - vote.CPU).Microseconds()) / float64(t.votes.Acknowledged)
		}
		if frames := t.framesWhileVoting(); frames > 0 {
			s.USPerFrame = float64((end.CPU - vote.CPU).Microseconds()) / float64(frames)
		}
		if seen.Joined > 0 && !t.plan.JoinWhileVoting {
			s.BytesPerViewer = (idle.Memory - start.Memory) / int64(seen.Joined)
			s.JoinUSPerViewer = float64((idle.CPU - start.CPU).Microseconds()) / float64(seen.Joined)
		}
		servers = append(servers, s)
	}
	return servers
}

// series is the run second by second.
func (t *test) series(seen *viewers.Result) (points []report.Point) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	if t.votes != nil {
		for i, s := range t.votes.PerSecond {
			points = append(points, report.Point{Second: i, Acknowledged: s.Acknowledged, Refused: s.Refused, P50: ms(s.P50), P99: ms(s.P99)})
		}
	}
	for second, frames := range seen.PerSecond {
		i := second - t.offset()
		if i < 0 || t.votes == nil && i > int(t.plan.Duration.Seconds()) {
			continue
		}
		for len(points) <= i {
			points = append(points, report.Point{Second: len(points)})
		}
		points[i].Frames = frames
	}
	return points
}

// Limits beyond which the tester itself is suspected.
const (
	mostShare = 0.5 // of the machine
	mostLate  = 2   // ms, at p99
	latePart  = 0.1 // of what a vote took, at p99
)

func (t *test) warnings(r *report.Report) (warnings []string) {
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	if r.Tester.CPUShare > mostShare {
		warn("the tester used %.0f %% of the machine's CPU: it may have been the limit itself", 100*r.Tester.CPUShare)
	}
	if late := r.Tester.Late; late != nil && late.P99 > mostLate && late.P99 > latePart*r.Votes.Acknowledgement.P99 {
		warn("the tester was late itself: 1 %% of the votes were due %.1f ms before it came to them", late.P99)
	}
	if r.Votes != nil && r.Votes.TokensMeanwhile > r.Votes.Acknowledged/20 {
		warn("the server made %d voter tokens while votes were cast: they are part of its CPU time", r.Votes.TokensMeanwhile)
	}
	if v := r.Viewers; v != nil && v.Joined < v.Wanted {
		warn("%d of %d viewers never got a frame", v.Wanted-v.Joined, v.Wanted)
	}
	return warnings
}
