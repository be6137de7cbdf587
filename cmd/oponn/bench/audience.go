package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oponn/oponn/cmd/oponn/bench/monotonic"
	"github.com/oponn/oponn/cmd/oponn/bench/procstat"
	"github.com/oponn/oponn/cmd/oponn/bench/viewers"
)

// audience is all viewers, in one process or several.
type audience struct {
	wanted int
	crowds []viewers.Crowd
	// apart says that the crowds are processes of their own.
	apart bool
	began int64
	took  time.Duration // until all had joined
}

// spareFiles is how many files a process needs beside its connections.
const spareFiles = 200

// processes returns how many processes the viewers need; zero for this one.
func (p *Plan) processes() (int, error) {
	files := procstat.OpenFiles()
	room := files - spareFiles
	switch {
	case p.Processes > 0 && len(p.Worker) > 0:
		return p.Processes, nil
	case p.Viewers+p.Connections <= room:
		return 0, nil
	case len(p.Worker) == 0:
		return 0, fmt.Errorf("bench: %d viewers and %d connections are more than this process may open (%d files)", p.Viewers, p.Connections, files)
	default:
		return (p.Viewers + room - 1) / room, nil
	}
}

// gather has the viewers begin to join.
func (t *test) gather(ctx context.Context) error {
	n, err := t.plan.processes()
	if err != nil {
		return err
	}
	c := viewers.Config{
		Total: t.plan.Viewers, Join: t.plan.Join, Insecure: t.plan.Insecure,
		Sources: sources(ctx, t.targets, t.plan.Viewers),
	}
	for _, u := range t.targets {
		c.Targets = append(c.Targets, u.String())
	}
	for _, b := range t.ballots {
		path := "/ballots/" + b.ID + "/live"
		if !t.plan.Pages {
			path = "/api/v1" + path
		}
		c.Paths = append(c.Paths, path)
	}
	t.audience = audience{wanted: t.plan.Viewers, apart: n > 0, began: monotonic.Now()}
	c.Begin = t.audience.began
	if n > 0 {
		c.Begin += int64(processStart)
	}
	for i := range max(n, 1) {
		c.First = t.plan.Viewers * i / max(n, 1)
		c.Viewers = t.plan.Viewers*(i+1)/max(n, 1) - c.First
		if c.Viewers == 0 {
			continue
		}
		crowd, err := t.crowd(ctx, n > 0, c)
		if err != nil {
			return errors.Join(err, t.disperse())
		}
		t.audience.crowds = append(t.audience.crowds, crowd)
	}
	return nil
}

// processStart is how long processes have to start before viewers join.
const processStart = 200 * time.Millisecond

func (t *test) crowd(ctx context.Context, apart bool, c viewers.Config) (viewers.Crowd, error) {
	if apart {
		return viewers.Spawn(ctx, t.plan.Worker, c)
	}
	return viewers.Gather(context.WithoutCancel(ctx), c)
}

// disperse ends all streams and keeps what was seen. All crowds end at once:
// the seats of those who have gone must not go to others.
func (t *test) disperse() error {
	var group errgroup.Group
	results := make([]*viewers.Result, len(t.audience.crowds))
	for i, crowd := range t.audience.crowds {
		group.Go(func() (err error) {
			results[i], err = crowd.Stop()
			return err
		})
	}
	err := group.Wait()
	for _, result := range results {
		if result != nil {
			t.crowds = append(t.crowds, result)
		}
	}
	return err
}

func (a *audience) progress() (sum viewers.Progress) {
	for _, crowd := range a.crowds {
		p := crowd.Progress()
		sum.Joined += p.Joined
		sum.Watching += p.Watching
		sum.Gone += p.Gone
		sum.Frames += p.Frames
		sum.CPU += p.CPU
		if p.Behind < 0 || sum.Behind < 0 {
			sum.Behind = -1
		} else {
			sum.Behind += p.Behind
		}
	}
	return sum
}

func (a *audience) expect(final []uint64) {
	for _, crowd := range a.crowds {
		crowd.Expect(final)
	}
}

func (a *audience) joined(p viewers.Progress) bool {
	if p.Joined+p.Gone < a.wanted {
		return false
	}
	a.took = time.Duration(monotonic.Now() - a.began)
	return true
}

func (a *audience) settled(p viewers.Progress) bool { return p.Behind == 0 }

// await asks until the viewers are so far, or the patience is over.
func (a *audience) await(ctx context.Context, patience time.Duration, done func(viewers.Progress) bool, tell func(viewers.Progress)) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		p := a.progress()
		tell(p)
		if done(p) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
