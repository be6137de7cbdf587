package viewers

import (
	"testing"
	"time"
)

func TestDelays_AreKeptToAnEighth(t *testing.T) {
	t.Parallel()
	last := -1
	for d := time.Duration(0); d < 2*time.Minute; d += d/50 + time.Microsecond {
		bucket := delayBucket(d)
		if bucket < last {
			t.Fatalf("%v is in bucket %d, less time in %d", d, bucket, last)
		}
		last = bucket
		if off := (DelayOf(bucket) - d).Abs(); off > max(delayUnit, d/8) {
			t.Fatalf("%v is taken for %v", d, DelayOf(bucket))
		}
	}
	if last > 256 {
		t.Errorf("%d buckets", last)
	}
}

// TestLedger_IsBounded fills it many times over: what is kept has to stand for
// all.
func TestLedger_IsBounded(t *testing.T) {
	t.Parallel()
	const frames, viewers = 10 * mostArrivals, 3
	l := newLedger()
	for to := uint64(1); to <= frames; to++ {
		for v := range int64(viewers) {
			l.add(span{0, to - 1, to}, int64(to)*1000+v)
		}
	}
	all := l.all()
	if len(all) > mostArrivals {
		t.Errorf("%d are kept, at most %d are allowed", len(all), mostArrivals)
	}
	var arrivals int
	for _, a := range all {
		for _, n := range a.Delays {
			arrivals += int(n)
		}
		if a.First != int64(a.To)*1000 || a.Last != a.First+viewers-1 {
			t.Fatalf("a frame of version %d came first at %d and last at %d", a.To, a.First, a.Last)
		}
	}
	if stands := arrivals * l.weight(); stands < frames*viewers*9/10 || stands > frames*viewers*11/10 {
		t.Errorf("what is kept stands for %d arrivals, there were %d", stands, frames*viewers)
	}
}
