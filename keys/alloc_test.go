//go:build !race

// Under the race detector sync.Pool drops what it holds at random, so that
// there is nothing to count.

package keys

import (
	"testing"

	"github.com/oponn/oponn"
)

func TestDataKey_HotPathDoesNotAllocate(t *testing.T) {
	key, _ := knownKey(t)
	var (
		voter    = oponn.NewVoterID()
		tag      = key.VoterTag(voter)
		choice   = make([]byte, 64)
		dst      = make([]byte, 0, 256)
		bindings = [][]byte{tag[:], voter[:]}
		sealed   = key.Seal(nil, choice, oponn.FieldChoice, bindings...)
		locator  = key.Locator(tag, 1)
	)
	for _, test := range []struct {
		name string
		want float64
		run  func()
	}{
		{"VoterTag", 0, func() { key.VoterTag(voter) }},
		{"Seal", 0, func() { key.Seal(dst, choice, oponn.FieldChoice, bindings...) }},
		{"Open", 0, func() { _, _ = key.Open(dst, sealed, oponn.FieldChoice, bindings...) }},
		{"Locator", 1, func() { key.Locator(tag, 1) }},
		{"ReadLocator", 0, func() { _, _, _ = key.ReadLocator(locator) }},
	} {
		if got := testing.AllocsPerRun(1000, test.run); got > test.want {
			t.Errorf("%s allocates %v times, want %v", test.name, got, test.want)
		}
	}
}
