package bench

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/oponn/oponn/cmd/oponn/bench/viewers"
	"github.com/oponn/oponn/cmd/oponn/bench/voters"
)

// mostSends bounds how many points of time stand for the votes that one frame
// carried.
const mostSends = 64

// send is votes that were sent at about the same time.
type send struct {
	at, weight int64
}

// screen pairs every vote with every viewer's first frame that holds it. Both
// are samples: votes by version, frames by the range of versions they cover.
func screen(samples []voters.Sample, crowds []*viewers.Result) *hdrhistogram.Histogram {
	votes := map[int][]voters.Sample{}
	for _, s := range samples {
		if s.Version > 0 {
			votes[s.Ballot] = append(votes[s.Ballot], s)
		}
	}
	for _, of := range votes {
		slices.SortFunc(of, func(a, b voters.Sample) int { return cmp.Compare(a.Version, b.Version) })
	}
	h := hdrhistogram.New(1, (10 * time.Minute).Microseconds(), 3)
	var sends []send
	for _, crowd := range crowds {
		for _, a := range crowd.Arrivals {
			of := votes[a.Ballot]
			from := sort.Search(len(of), func(i int) bool { return of[i].Version > a.From })
			to := sort.Search(len(of), func(i int) bool { return of[i].Version > a.To })
			if sends = gather(sends[:0], of[from:to]); len(sends) > 0 {
				pair(h, sends, &a, int64(crowd.Weight))
			}
		}
	}
	return h
}

// gather puts votes together until few enough points of time are left. The
// first and the last are kept as they are.
func gather(sends []send, of []voters.Sample) []send {
	for _, s := range of {
		sends = append(sends, send{s.Sent, s.Weight})
	}
	if len(sends) <= mostSends {
		return sends
	}
	slices.SortFunc(sends, func(a, b send) int { return cmp.Compare(a.at, b.at) })
	inner := sends[1 : len(sends)-1]
	last := sends[len(sends)-1]
	each := (len(inner) + mostSends - 3) / (mostSends - 2)
	kept := sends[:1]
	for group := range slices.Chunk(inner, each) {
		sum := send{at: group[len(group)/2].at}
		for _, s := range group {
			sum.weight += s.weight
		}
		kept = append(kept, sum)
	}
	return append(kept, last)
}

// pair notes the times from each send to each arrival.
func pair(h *hdrhistogram.Histogram, sends []send, a *viewers.Arrivals, weight int64) {
	for bucket, n := range a.Delays {
		if n == 0 {
			continue
		}
		at := min(a.First+int64(viewers.DelayOf(bucket)), a.Last)
		if bucket == 0 {
			at = a.First
		}
		for _, s := range sends {
			took := time.Duration(at - s.at).Microseconds()
			_ = h.RecordValues(min(max(took, 1), h.HighestTrackableValue()), int64(n)*s.weight*weight)
		}
	}
}
