package oponn_test

import (
	"testing"
	"time"

	"github.com/oponn/oponn"
)

// checkWindow checks a window by way of a draft.
func checkWindow(w oponn.Window) (oponn.Window, error) {
	d := draft(numbered(2)...)
	d.Window = w
	_, checked, err := d.Check(noon)
	return checked, err
}

func TestWindow_IsKept(t *testing.T) {
	const century = 100 * 365 * 24 * time.Hour
	summer := time.FixedZone("CEST", 2*60*60)
	for name, c := range map[string]struct{ given, want oponn.Window }{
		"for always where no times are given": {},
		"with times to come": {
			oponn.Window{OpensAt: noon.Add(time.Hour), ClosesAt: noon.Add(2 * time.Hour)},
			oponn.Window{OpensAt: noon.Add(time.Hour), ClosesAt: noon.Add(2 * time.Hour)}},
		"from now where the opening has passed": {
			oponn.Window{OpensAt: noon.Add(-century), ClosesAt: noon.Add(time.Hour)},
			oponn.Window{ClosesAt: noon.Add(time.Hour)}},
		"from now where it opens this very moment": {
			oponn.Window{OpensAt: noon}, oponn.Window{}},
		"in UTC": {
			oponn.Window{ClosesAt: noon.Add(time.Hour).In(summer)},
			oponn.Window{ClosesAt: noon.Add(time.Hour)}},
		"in whole microseconds": {
			oponn.Window{OpensAt: noon.Add(5001), ClosesAt: noon.Add(7999)},
			oponn.Window{OpensAt: noon.Add(5000), ClosesAt: noon.Add(7000)}},
		"for one microsecond": {
			oponn.Window{OpensAt: noon.Add(5000), ClosesAt: noon.Add(6000)},
			oponn.Window{OpensAt: noon.Add(5000), ClosesAt: noon.Add(6000)}},
		"for ten years": {
			oponn.Window{OpensAt: noon.AddDate(9, 0, 0), ClosesAt: noon.AddDate(10, 0, 0)},
			oponn.Window{OpensAt: noon.AddDate(9, 0, 0), ClosesAt: noon.AddDate(10, 0, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := checkWindow(c.given)
			wantCode(t, err, "")
			if got != c.want {
				t.Fatalf("kept as %v, want %v", got, c.want)
			}
		})
	}
}

func TestWindow_IsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		given oponn.Window
		want  []string
	}{
		"where it has closed": {
			oponn.Window{ClosesAt: noon.Add(-time.Second)}, []string{"closes_at: past"}},
		"where it closes this very moment": {
			oponn.Window{ClosesAt: noon}, []string{"closes_at: past"}},
		"where it closes this very microsecond": {
			oponn.Window{ClosesAt: noon.Add(999)}, []string{"closes_at: past"}},
		"where it closes before it opens": {
			oponn.Window{OpensAt: noon.Add(2 * time.Hour), ClosesAt: noon.Add(time.Hour)}, []string{"closes_at: before_opening"}},
		"where it closes as it opens": {
			oponn.Window{OpensAt: noon.Add(time.Hour), ClosesAt: noon.Add(time.Hour)}, []string{"closes_at: before_opening"}},
		"where it closes in the microsecond in which it opens": {
			oponn.Window{OpensAt: noon.Add(5001), ClosesAt: noon.Add(5999)}, []string{"closes_at: before_opening"}},
		"where it opens in the far future": {
			oponn.Window{OpensAt: noon.AddDate(11, 0, 0)}, []string{"opens_at: too_far"}},
		"where it closes in the far future": {
			oponn.Window{ClosesAt: noon.AddDate(11, 0, 0)}, []string{"closes_at: too_far"}},
		"where all is in the far future": {
			oponn.Window{OpensAt: noon.AddDate(11, 0, 0), ClosesAt: noon.AddDate(12, 0, 0)},
			[]string{"opens_at: too_far", "closes_at: too_far"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := checkWindow(c.given)
			wantFields(t, err, c.want...)
		})
	}
}
