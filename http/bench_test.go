package http_test

import (
	"testing"

	"github.com/oponn/oponn"
)

// BenchmarkRender draws a frame: once for each version, whatever the number of
// viewers.
func BenchmarkRender(b *testing.B) {
	w := start(b, tuning{})
	ballot := w.ballot(teaOrCoffee())
	w.vote(ballot.ID, "1")
	id, err := oponn.ParseBallotID(ballot.ID)
	if err != nil {
		b.Fatal(err)
	}
	snapshot, err := w.system.Result(b.Context(), id, 0)
	if err != nil {
		b.Fatal(err)
	}
	viewers := make(chan oponn.Viewer, 1)
	w.faults.set(func(f *faults) { f.watch = func(v oponn.Viewer) error { viewers <- v; return nil } })
	for name, path := range map[string]string{"html": pageLive(ballot), "json": apiLive(ballot)} {
		b.Run(name, func(b *testing.B) {
			stream := w.listen(path)
			defer stream.leave()
			viewer := <-viewers
			b.ReportAllocs()
			for b.Loop() {
				frame, _ := viewer.Group.Render(snapshot)
				b.SetBytes(int64(len(frame)))
			}
		})
	}
}
