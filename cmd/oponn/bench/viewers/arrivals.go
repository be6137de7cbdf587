package viewers

import (
	"math/bits"
	"time"
)

// Arrivals are the frames that carried viewers over the same versions of a
// ballot: all votes whose version is above From and at most To were first seen
// with them. Viewers are many and frames are few: what is kept is how the
// arrivals spread over time after the first one.
type Arrivals struct {
	Ballot int    `json:"b"`
	From   uint64 `json:"f"`
	To     uint64 `json:"t"`
	// First and Last are on the machine's monotonic clock.
	First int64 `json:"a"`
	Last  int64 `json:"z"`
	// Delays counts arrivals by their time after the first one: see DelayOf.
	Delays []uint32 `json:"n"`
}

// delayUnit is the width of the narrowest buckets; above eight of them, each
// is an eighth as wide as what it begins at.
const delayUnit = 32 * time.Microsecond

// delayBucket returns which bucket a time belongs to.
func delayBucket(d time.Duration) int {
	units := uint64(max(d, 0) / delayUnit)
	if units < 8 {
		return int(units)
	}
	shift := min(bits.Len64(units)-4, 24)
	return shift<<3 + min(int(units>>shift), 15)
}

// DelayOf returns the middle of a bucket.
func DelayOf(bucket int) time.Duration {
	low, width := uint64(bucket), uint64(1)
	if bucket >= 16 {
		shift := bucket>>3 - 1
		low, width = uint64(bucket-shift<<3)<<shift, 1<<shift
	}
	return time.Duration(2*low+width) * delayUnit / 2
}

// mostArrivals bounds how many are kept by one process.
const mostArrivals = 30_000

type span struct {
	ballot   int32
	from, to uint64
}

// ledger gathers arrivals in bounded memory: when there are too many, half of
// the versions are left out, chosen by a hash, so that the rest stands for all.
type ledger struct {
	spans map[span]*Arrivals
	last  span
	at    *Arrivals
	mask  uint64
}

func newLedger() *ledger { return &ledger{spans: map[span]*Arrivals{}} }

// weight is how many frames each one that is kept stands for.
func (l *ledger) weight() int { return int(l.mask + 1) }

func (l *ledger) keeps(s span) bool { return mix(uint64(s.ballot)<<48^s.to)&l.mask == 0 }

// mix spreads bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// add notes that a frame came.
func (l *ledger) add(s span, at int64) {
	if s != l.last || l.at == nil {
		if l.last, l.at = s, l.find(s, at); l.at == nil {
			return
		}
	}
	a := l.at
	bucket := delayBucket(time.Duration(at - a.First))
	for len(a.Delays) <= bucket {
		a.Delays = append(a.Delays, 0)
	}
	a.Delays[bucket]++
	a.Last = max(a.Last, at)
}

// find returns where arrivals of the span are counted; nil: they are left out.
func (l *ledger) find(s span, at int64) *Arrivals {
	if a := l.spans[s]; a != nil {
		return a
	}
	for len(l.spans) >= mostArrivals {
		l.thin()
	}
	if !l.keeps(s) {
		return nil
	}
	a := &Arrivals{Ballot: int(s.ballot), From: s.from, To: s.to, First: at}
	l.spans[s] = a
	return a
}

func (l *ledger) thin() {
	l.mask = l.mask<<1 | 1
	for s := range l.spans {
		if !l.keeps(s) {
			delete(l.spans, s)
		}
	}
}

func (l *ledger) all() []Arrivals {
	all := make([]Arrivals, 0, len(l.spans))
	for _, a := range l.spans {
		all = append(all, *a)
	}
	return all
}
