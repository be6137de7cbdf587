package bench

import (
	"testing"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/viewers"
	"github.com/oponn/oponn/cmd/oponn/bench/voters"
)

const ms = int64(time.Millisecond)

// TestScreen_PairsEveryVoteWithEveryViewer has votes 1 and 2 come with one
// frame and vote 3 with the next one, at two viewers; a third viewer gets all
// of them late, with one frame. A vote on another ballot has no viewers.
func TestScreen_PairsEveryVoteWithEveryViewer(t *testing.T) {
	t.Parallel()
	votes := []voters.Sample{
		{Version: 3, Sent: 120 * ms, Weight: 1}, {Version: 1, Sent: 10 * ms, Weight: 1}, {Version: 2, Sent: 50 * ms, Weight: 2},
		{Version: 1, Ballot: 1, Sent: 0, Weight: 1}, {Version: 0, Sent: 0, Weight: 1},
	}
	crowd := &viewers.Result{Weight: 1, Arrivals: []viewers.Arrivals{
		{From: 0, To: 2, First: 100 * ms, Last: 100 * ms, Delays: []uint32{2}},
		{From: 2, To: 3, First: 200 * ms, Last: 200 * ms, Delays: []uint32{2}},
		{From: 0, To: 3, First: 1000 * ms, Last: 1000 * ms, Delays: []uint32{1}},
	}}
	h := screen(votes, []*viewers.Result{crowd})
	want := map[int64]int64{90: 2, 50: 4, 80: 2, 990: 1, 950: 2, 880: 1}
	total := int64(0)
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			total += bar.Count
			if at := (bar.From + 500) / 1000; want[at] != bar.Count {
				t.Errorf("%d pairs took %d ms, want %d", bar.Count, at, want[at])
			}
		}
	}
	if total != 12 {
		t.Errorf("%d pairs, want 12", total)
	}
}

// TestGather_KeepsTheEnds puts many sends together without losing one.
func TestGather_KeepsTheEnds(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, mostSends, mostSends + 1, 1000, 12_345} {
		var of []voters.Sample
		for i := range n {
			of = append(of, voters.Sample{Sent: int64((i * 7919) % n), Weight: 3})
		}
		sends := gather(nil, of)
		first, last, weight := sends[0].at, sends[0].at, int64(0)
		for _, s := range sends {
			first, last, weight = min(first, s.at), max(last, s.at), weight+s.weight
		}
		if len(sends) > mostSends || weight != int64(3*n) || first != 0 || last != int64(n-1) {
			t.Errorf("%d votes: %d sends from %d to %d with weight %d", n, len(sends), first, last, weight)
		}
	}
}
