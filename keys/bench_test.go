package keys_test

import (
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
)

// The benchmarks call through the port, as the program does.

func benchKey(b *testing.B) oponn.Key {
	b.Helper()
	_, key, err := keys.NewRing(localKEK(b)).Create(b.Context(), oponn.NewBallotID())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	return key
}

// vote is what one vote seals: a choice, bound to the voter's tag and vote id.
type vote struct {
	choice, tag, id []byte
}

func newVote() vote {
	voter, id := oponn.NewVoterID(), oponn.NewVoteID()
	return vote{choice: make([]byte, 64), tag: voter[:], id: id[:]}
}

func BenchmarkSeal(b *testing.B) {
	key, v := benchKey(b), newVote()
	dst := make([]byte, 0, 256)
	for b.Loop() {
		key.Seal(dst, v.choice, oponn.FieldChoice, v.tag, v.id)
	}
}

func BenchmarkSealParallel(b *testing.B) {
	key := benchKey(b)
	b.RunParallel(func(pb *testing.PB) {
		v, dst := newVote(), make([]byte, 0, 256)
		for pb.Next() {
			key.Seal(dst, v.choice, oponn.FieldChoice, v.tag, v.id)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	key, v := benchKey(b), newVote()
	sealed := key.Seal(nil, v.choice, oponn.FieldChoice, v.tag, v.id)
	dst := make([]byte, 0, 256)
	for b.Loop() {
		if _, err := key.Open(dst, sealed, oponn.FieldChoice, v.tag, v.id); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVoterTag(b *testing.B) {
	key, voter := benchKey(b), oponn.NewVoterID()
	for b.Loop() {
		key.VoterTag(voter)
	}
}

func BenchmarkVoterTagParallel(b *testing.B) {
	key := benchKey(b)
	b.RunParallel(func(pb *testing.PB) {
		voter := oponn.NewVoterID()
		for pb.Next() {
			key.VoterTag(voter)
		}
	})
}

func BenchmarkWriteInID(b *testing.B) {
	key := benchKey(b)
	for b.Loop() {
		key.WriteInID("a label that somebody wrote in, of a usual length")
	}
}

func BenchmarkLocator(b *testing.B) {
	key := benchKey(b)
	tag := key.VoterTag(oponn.NewVoterID())
	for b.Loop() {
		key.Locator(tag, 7)
	}
}

func BenchmarkReadLocator(b *testing.B) {
	key := benchKey(b)
	locator := key.Locator(key.VoterTag(oponn.NewVoterID()), 7)
	for b.Loop() {
		if _, _, err := key.ReadLocator(locator); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRingCreate(b *testing.B) {
	ring := keys.NewRing(localKEK(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ring.Create(b.Context(), oponn.NewBallotID()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRingOpenCached(b *testing.B) {
	ring, ballot := keys.NewRing(localKEK(b)), oponn.NewBallotID()
	wrapped, _, err := ring.Create(b.Context(), ballot)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Open(b.Context(), ballot, wrapped); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRingOpenUncached(b *testing.B) {
	ring, ballot := keys.NewRing(localKEK(b)), oponn.NewBallotID()
	wrapped, _, err := ring.Create(b.Context(), ballot)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ring.Forget(ballot)
		if _, err := ring.Open(b.Context(), ballot, wrapped); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVoterTagInTurns is a tag under each of many keys in turns, as many
// hot ballots want them.
func BenchmarkVoterTagInTurns(b *testing.B) {
	many, voter := make([]oponn.Key, 4096), oponn.NewVoterID()
	for i := range many {
		many[i] = benchKey(b)
	}
	for n := 0; b.Loop(); n++ {
		many[n*2039%len(many)].VoterTag(voter)
	}
}
