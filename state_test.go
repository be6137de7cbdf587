package oponn_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

func TestFirstState(t *testing.T) {
	opens, closes := noon.Add(time.Hour), noon.Add(2*time.Hour)
	for name, c := range map[string]struct {
		window oponn.Window
		want   oponn.Status
	}{
		"is open":                         {oponn.Window{}, oponn.Open},
		"is open where it closes later":   {oponn.Window{ClosesAt: closes}, oponn.Open},
		"is scheduled where it opens":     {oponn.Window{OpensAt: opens}, oponn.Scheduled},
		"is scheduled with both its ends": {oponn.Window{OpensAt: opens, ClosesAt: closes}, oponn.Scheduled},
	} {
		t.Run(name, func(t *testing.T) {
			got := oponn.FirstState(lunch(), c.window)
			want := oponn.State{Status: c.want, OpensAt: c.window.OpensAt, ClosesAt: c.window.ClosesAt, Counts: []uint64{0, 0, 0}}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("begins as %+v, want %+v", got, want)
			}
		})
	}
}

func TestState_Advance(t *testing.T) {
	opens, closes := noon.Add(time.Hour), noon.Add(2*time.Hour)
	both := oponn.Window{OpensAt: opens, ClosesAt: closes}
	for name, c := range map[string]struct {
		window oponn.Window
		now    time.Time
		want   oponn.Status
		closed time.Time
	}{
		"stays scheduled before its time":     {both, opens.Add(-1), oponn.Scheduled, time.Time{}},
		"opens at its time":                   {both, opens, oponn.Open, time.Time{}},
		"stays open until the last moment":    {both, closes.Add(-1), oponn.Open, time.Time{}},
		"opens and closes at once":            {both, closes, oponn.Closed, closes},
		"closes at its time":                  {oponn.Window{ClosesAt: closes}, closes, oponn.Closed, closes},
		"closes late if nobody looked before": {oponn.Window{ClosesAt: closes}, closes.Add(time.Hour), oponn.Closed, closes.Add(time.Hour)},
		"closes at a whole microsecond":       {oponn.Window{ClosesAt: closes}, closes.Add(1999), oponn.Closed, closes.Add(1000)},
		"never closes without a time":         {oponn.Window{OpensAt: opens}, opens.AddDate(9, 0, 0), oponn.Open, time.Time{}},
		"stays open for ever":                 {oponn.Window{}, noon.AddDate(9, 0, 0), oponn.Open, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := oponn.FirstState(lunch(), c.window)
			before := s.Status
			moved := s.Advance(c.now.In(time.FixedZone("", 3600)))
			if s.Status != c.want || s.ClosedAt != c.closed || moved != (s.Status != before) {
				t.Fatalf("is %s, closed at %v, moved %v", s.Status, s.ClosedAt, moved)
			}
		})
	}
}

func TestState_AdvanceNeverLeavesClosed(t *testing.T) {
	s := oponn.State{Status: oponn.Closed, OpensAt: noon, ClosesAt: noon.Add(time.Hour), ClosedAt: noon}
	if s.Advance(noon.Add(2*time.Hour)) || s.Status != oponn.Closed || s.ClosedAt != noon || !s.Due().IsZero() {
		t.Fatalf("moved to %+v", s)
	}
}

// drawWindow draws a window that Draft.Check lets pass.
func drawWindow(t *rapid.T) oponn.Window {
	var w oponn.Window
	at := noon
	if rapid.Bool().Draw(t, "scheduled") {
		at = at.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "opens in")) * time.Second)
		w.OpensAt = at
	}
	if rapid.Bool().Draw(t, "closes") {
		w.ClosesAt = at.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "closes in")) * time.Second)
	}
	return w
}

func TestState_IsDueExactlyWhenAdvanceHasSomethingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := oponn.FirstState(lunch(), drawWindow(t))
		for range 3 {
			due := s.Due()
			if due.IsZero() {
				if s.Advance(noon.AddDate(100, 0, 0)) {
					t.Fatalf("nothing was due, yet it moved to %s", s.Status)
				}
				return
			}
			if s.Advance(due.Add(-time.Nanosecond)) {
				t.Fatalf("moved to %s too early", s.Status)
			}
			if !s.Advance(due) || s.Advance(due) {
				t.Fatalf("did not move once and for all when due, but is %s", s.Status)
			}
		}
		t.Fatal("still due after three moves")
	})
}

func TestState_OpensAsItWasSealed(t *testing.T) {
	key := keyNamed("lunch")
	rapid.Check(t, func(t *rapid.T) {
		want := oponn.FirstState(lunch(), drawWindow(t))
		want.Advance(noon.Add(time.Duration(rapid.IntRange(0, 1e13).Draw(t, "later"))))
		want.Counts = rapid.SliceOfN(rapid.Uint64(), 2, 8).Draw(t, "counts")
		want.Voters = rapid.Uint64().Draw(t, "voters")
		version := rapid.Uint64().Draw(t, "version")
		sealed, err := want.Seal(key, version)
		wantCode(t, err, "")
		got, err := oponn.OpenState(key, oponn.Head{Version: version, Sealed: sealed})
		wantCode(t, err, "")
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("opened as %+v, want %+v", got, want)
		}
	})
}

func TestOpenState_RefusesWhatIsNotTheHeads(t *testing.T) {
	key := keyNamed("lunch")
	sealed, err := oponn.FirstState(lunch(), oponn.Window{}).Seal(key, 7)
	wantCode(t, err, "")
	altered := slices.Clone(sealed)
	altered[len(altered)/2] ^= 1
	seven := []byte{0, 0, 0, 0, 0, 0, 0, 7}
	for name, head := range map[string]oponn.Head{
		"an old state as a new version": {Version: 8, Sealed: sealed},
		"a new state as an old version": {Version: 6, Sealed: sealed},
		"an altered one":                {Version: 7, Sealed: altered},
		"nothing":                       {Version: 7},
		"one cut short":                 {Version: 7, Sealed: sealed[:len(sealed)-1]},
		"something else sealed":         {Version: 7, Sealed: key.Seal(nil, []byte("{}"), oponn.FieldChoice, seven)},
		"what is no state":              {Version: 7, Sealed: key.Seal(nil, []byte("[]"), oponn.FieldState, seven)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := oponn.OpenState(key, head)
			wantCode(t, err, oponn.CodeInternal)
		})
	}
	_, err = oponn.OpenState(keyNamed("dinner"), oponn.Head{Version: 7, Sealed: sealed})
	wantCode(t, err, oponn.CodeInternal)
}
