package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/oponn/oponn/cmd/oponn/bench"
)

// tellProgress shows how far a load test is: a bar for each phase on a
// terminal, elsewhere a line now and then.
func tellProgress(out io.Writer) (tell func(bench.Progress), done func()) {
	if !interactive(out) {
		return progressLines(out, lineEvery), func() {}
	}
	p := mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
	var bar *mpb.Bar
	var now *atomic.Pointer[bench.Progress] // of this bar, which is drawn at its own pace
	finish := func() {
		if bar != nil {
			bar.SetTotal(-1, true)
		}
	}
	tell = func(next bench.Progress) {
		if bar == nil || next.Phase != now.Load().Phase {
			finish()
			drawn := &atomic.Pointer[bench.Progress]{}
			drawn.Store(&next)
			now = drawn
			bar = p.AddBar(next.Total, mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-8s", next.Phase))),
				mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return progressText(*drawn.Load()) })))
		}
		now.Store(&next)
		bar.SetCurrent(next.Done)
	}
	return tell, func() { finish(); p.Wait() }
}

func progressText(p bench.Progress) string {
	switch p.Phase {
	case "prepare":
		return fmt.Sprintf("%d of %d voter tokens", p.Done, p.Total)
	case "join":
		return fmt.Sprintf("%d of %d viewers", p.Done, p.Total)
	case "settle":
		return fmt.Sprintf("%d of %d viewers have the result", p.Done, p.Total)
	}
	text := fmt.Sprintf("%d votes", p.Acknowledged)
	if p.Refused > 0 {
		text += fmt.Sprintf(", %d refusals", p.Refused)
	}
	if p.Watching > 0 {
		text += fmt.Sprintf(", %d viewers, %d frames", p.Watching, p.Frames)
	}
	return text
}

func progressLines(out io.Writer, every time.Duration) func(bench.Progress) {
	var last time.Time
	return func(p bench.Progress) {
		if now := time.Now(); now.Sub(last) >= every {
			fmt.Fprintf(out, "%s: %s\n", p.Phase, progressText(p))
			last = now
		}
	}
}
