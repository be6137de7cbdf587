package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// lineEvery is the least time between two lines of progress.
const lineEvery = 5 * time.Second

// progress shows how far something is, which step moves on by one: as a bar on
// a terminal, elsewhere as a line now and then.
func progress(out io.Writer, what string, total int64) (step, done func()) {
	if !interactive(out) {
		return lines(out, what, total, lineEvery), func() {}
	}
	p := mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
	bar := p.AddBar(total, mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d of %d ")))
	return func() { bar.Increment() }, func() { bar.Abort(false); p.Wait() }
}

// lines writes a line when the time between two is over.
func lines(out io.Writer, what string, total int64, every time.Duration) (step func()) {
	var n int64
	last := time.Now()
	return func() {
		n++
		if now := time.Now(); now.Sub(last) >= every {
			fmt.Fprintf(out, "%s %d of %d\n", what, n, total)
			last = now
		}
	}
}

// interactive says whether out is a terminal.
func interactive(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
