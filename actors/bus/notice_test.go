package bus_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus"
)

func anyNotice(t *rapid.T) oponn.Notice {
	ballot := oponn.BallotID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ballot"))
	if rapid.Bool().Draw(t, "gone") {
		return oponn.Notice{Ballot: ballot, Gone: true}
	}
	if rapid.Bool().Draw(t, "roll") {
		return oponn.Notice{Ballot: ballot, Roll: &oponn.Roll{Instance: rapid.Uint64().Draw(t, "instance"),
			Watching: rapid.IntRange(0, math.MaxUint32).Draw(t, "watching"), Asks: rapid.Bool().Draw(t, "asks")}}
	}
	if rapid.Bool().Draw(t, "age") {
		return oponn.Notice{Ballot: ballot, Age: &oponn.Age{Instance: rapid.Uint64().Draw(t, "instance"),
			Version: rapid.Uint64Range(1, math.MaxUint64).Draw(t, "version"),
			Age:     time.Duration(rapid.Int64Range(0, oponn.MaxAge.Microseconds()).Draw(t, "age")) * time.Microsecond}}
	}
	position := rapid.Uint64().Draw(t, "position")
	return oponn.Notice{Ballot: ballot, Head: oponn.Head{
		Ballot:   ballot,
		Version:  rapid.Uint64Range(1, math.MaxUint64).Draw(t, "version"),
		Position: position,
		Voters:   rapid.Uint64Range(0, position).Draw(t, "voters"),
		WriteIns: rapid.IntRange(0, oponn.MaxWriteIns).Draw(t, "write-ins"),
		Sealed:   rapid.SliceOfN(rapid.Byte(), 1, 5000).Draw(t, "sealed"),
	}}
}

func same(a, b oponn.Notice) bool {
	if a.Roll != nil && b.Roll != nil {
		return a.Ballot == b.Ballot && *a.Roll == *b.Roll
	}
	if a.Age != nil && b.Age != nil {
		return a.Ballot == b.Ballot && *a.Age == *b.Age
	}
	sealed := (a.Roll == nil) == (b.Roll == nil) && (a.Age == nil) == (b.Age == nil) && bytes.Equal(a.Head.Sealed, b.Head.Sealed)
	return sealed && a.Ballot == b.Ballot && a.Gone == b.Gone && a.Head.Ballot == b.Head.Ballot &&
		a.Head.Version == b.Head.Version && a.Head.Position == b.Head.Position &&
		a.Head.Voters == b.Head.Voters && a.Head.WriteIns == b.Head.WriteIns
}

func TestNotice(t *testing.T) {
	t.Run("what is written is read", rapid.MakeCheck(func(t *rapid.T) {
		notice := anyNotice(t)
		encoded, err := bus.EncodeNotice(notice)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bus.DecodeNotice(string(encoded))
		if err != nil || !same(got, notice) {
			t.Fatalf("wrote %+v, read %+v, %v", notice, got, err)
		}
	}))
	id := oponn.BallotID{1, 2, 3}
	good := oponn.Notice{Ballot: id, Head: oponn.Head{Ballot: id, Version: 7, Position: 3, Voters: 2, WriteIns: 1, Sealed: []byte("s")}}
	encoded, err := bus.EncodeNotice(good)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("no prefix of one is one", func(t *testing.T) {
		for n := range encoded {
			if got, err := bus.DecodeNotice(string(encoded[:n])); err == nil {
				t.Errorf("%d bytes: %+v", n, got)
			}
		}
	})
	change := func(at int, with ...byte) string {
		b := bytes.Clone(encoded)
		copy(b[at:], with)
		return string(b)
	}
	for name, b := range map[string]string{
		"another format":       change(0, 2),
		"another kind":         change(1, 5),
		"an age with a head":   change(1, 4),
		"gone with a head":     change(1, 2),
		"version 0":            change(18, 0, 0, 0, 0, 0, 0, 0, 0),
		"more voters than log": change(34, 1),
		"too many write-ins":   change(42, 255, 255),
		"oversized":            string(encoded) + string(make([]byte, bus.MaxSealed)),
		"text":                 `{"ballot":"AAAA","version":7}`,
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			if got, err := bus.DecodeNotice(b); err == nil {
				t.Errorf("read %+v", got)
			}
		})
	}
	for name, spoil := range map[string]func(*oponn.Notice){
		"of two ballots":      func(n *oponn.Notice) { n.Head.Ballot[0]++ },
		"without a state":     func(n *oponn.Notice) { n.Head.Sealed = nil },
		"oversized":           func(n *oponn.Notice) { n.Head.Sealed = make([]byte, bus.MaxSealed+1) },
		"of version 0":        func(n *oponn.Notice) { n.Head.Version = 0 },
		"of an age too great": func(n *oponn.Notice) { n.Age = &oponn.Age{Version: 1, Age: oponn.MaxAge + 1} },
	} {
		t.Run("one "+name+" is not written", func(t *testing.T) {
			n := good
			spoil(&n)
			if b, err := bus.EncodeNotice(n); err == nil {
				t.Errorf("wrote %x", b)
			}
		})
	}
}

func FuzzDecodeNotice(f *testing.F) {
	id := oponn.BallotID{1, 2, 3}
	for _, n := range []oponn.Notice{
		{Ballot: id, Gone: true},
		{Ballot: id, Age: &oponn.Age{Instance: 1, Version: 2, Age: time.Second}},
		{Ballot: id, Head: oponn.Head{Ballot: id, Version: 1, Sealed: []byte("s")}},
		{Ballot: id, Head: oponn.Head{Ballot: id, Version: math.MaxUint64, Position: math.MaxUint64, Voters: 9, WriteIns: 200, Sealed: make([]byte, 300)}},
	} {
		b, err := bus.EncodeNotice(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
		f.Add(append(b, 0))
	}
	f.Add([]byte(nil))
	f.Add([]byte(`{"ballot":"AAAA"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := bus.DecodeNotice(string(b))
		if err != nil {
			return
		}
		again, err := bus.EncodeNotice(n)
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%x was read as %+v and is written %x, %v", b, n, again, err)
		}
	})
}
