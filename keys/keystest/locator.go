package keystest

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

func locatorRoundtrip(t *testing.T, s suite) {
	ballot, wrapped, key := s.create(t)
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{1,96}$`)
	for _, tag := range []oponn.VoterTag{{}, key.VoterTag(oponn.NewVoterID())} {
		for _, revision := range []uint32{0, 1, 2, 255, 256, math.MaxUint32} {
			locator := key.Locator(tag, revision)
			if !form.MatchString(locator) {
				t.Errorf("the locator %q is not base64url of at most 96 characters", locator)
			}
			for _, key := range []oponn.Key{key, s.open(t, ballot, wrapped)} {
				gotTag, gotRevision, err := key.ReadLocator(locator)
				if err != nil || gotTag != tag || gotRevision != revision {
					t.Errorf("revision %d reads as %v, %d, %v", revision, gotTag, gotRevision, err)
				}
			}
		}
	}
}

func locatorsDiffer(t *testing.T, s suite) {
	_, _, one := s.create(t)
	_, _, two := s.create(t)
	seen := make(map[string]bool)
	for range 20 {
		tag := oponn.VoterTag(oponn.NewVoterID()) // any 16 bytes, the same on both ballots
		for revision := range uint32(5) {
			for _, key := range []oponn.Key{one, two} {
				locator := key.Locator(tag, revision)
				if locator != key.Locator(tag, revision) {
					t.Error("one vote has two locators")
				}
				if seen[locator] {
					t.Error("two votes have one locator")
				}
				seen[locator] = true
			}
		}
	}
}

func locatorForged(t *testing.T, s suite) {
	_, _, key := s.create(t)
	_, _, other := s.create(t)
	tag := key.VoterTag(oponn.NewVoterID())
	locator := key.Locator(tag, 1)
	notFound := func(what, forged string) {
		t.Helper()
		gotTag, revision, err := key.ReadLocator(forged)
		wantCode(t, what, err, oponn.CodeNotFound)
		if gotTag != (oponn.VoterTag{}) || revision != 0 {
			t.Errorf("%s: got %v, %d with the error", what, gotTag, revision)
		}
	}
	for i := range locator {
		for _, c := range "AB-_+/=\n \x00é" {
			if forged := locator[:i] + string(c) + locator[i+1:]; forged != locator {
				notFound("a changed character", forged)
			}
		}
		notFound("a cut locator", locator[:i])
		notFound("a locator with a line end in it", locator[:i]+"\n"+locator[i:])
	}
	notFound("padding", locator+"==")
	notFound("a character more", locator+"A")
	notFound("a locator twice", locator+locator)
	notFound("zeros", strings.Repeat("A", len(locator)))
	notFound("a long text", strings.Repeat("A", 1<<20))
	notFound("another ballot's locator", other.Locator(tag, 1))
}
