package viewers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// order is what a process of the crowd is told, one JSON value a line.
type order struct {
	Start  *Config  `json:"start,omitempty"`
	Expect []uint64 `json:"expect,omitempty"`
	Stop   bool     `json:"stop,omitempty"`
}

// word is what it says.
type word struct {
	Progress *Progress `json:"progress,omitempty"`
	Result   *Result   `json:"result,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// tellEvery is how often a process says how far it is.
const tellEvery = 50 * time.Millisecond

// Work is the whole of a process that Spawn starts: it reads orders and writes
// what it has to say, until it is told to stop or its input ends.
func Work(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	orders := make(chan order)
	go func() {
		defer close(orders)
		decoder := json.NewDecoder(bufio.NewReader(in))
		for {
			var o order
			if decoder.Decode(&o) != nil {
				return // whoever started us has gone
			}
			select {
			case orders <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	say := json.NewEncoder(out)
	first := <-orders
	if first.Start == nil {
		return errNoStart
	}
	crowd, err := Gather(ctx, *first.Start)
	if err != nil {
		return errors.Join(err, say.Encode(word{Error: err.Error()}))
	}
	return obey(ctx, crowd, orders, say)
}

func obey(ctx context.Context, crowd Crowd, orders <-chan order, say *json.Encoder) error {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			progress := crowd.Progress()
			progress.CPU = cpu()
			if err := say.Encode(word{Progress: &progress}); err != nil {
				_, _ = crowd.Stop() // nobody listens
				return err
			}
		case o, open := <-orders:
			if o.Expect != nil {
				crowd.Expect(o.Expect)
			}
			if open && !o.Stop {
				continue
			}
			return finish(crowd, say)
		case <-ctx.Done():
			return finish(crowd, say)
		}
	}
}

func finish(crowd Crowd, say *json.Encoder) error {
	result, err := crowd.Stop()
	if err != nil {
		return errors.Join(err, say.Encode(word{Error: err.Error()}))
	}
	return say.Encode(word{Result: result})
}

var errNoStart = errors.New("viewers: the process was told nothing")

func errWorker(err error) error { return fmt.Errorf("viewers: a process of the crowd: %w", err) }

// stopPatience is how long a process may take to say its result.
const stopPatience = 30 * time.Second

// process is a crowd in a process of its own.
type process struct {
	cmd   *exec.Cmd
	input io.WriteCloser
	done  chan struct{}

	mu       sync.Mutex
	progress Progress
	result   *Result
	err      error
}

// Spawn starts a crowd in a process of its own: command has to call Work. The
// process ends when it is told to, or when this one does.
func Spawn(ctx context.Context, command []string, c Config) (Crowd, error) {
	p := &process{cmd: exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...), done: make(chan struct{})} //nolint:gosec // that of whoever wrote the plan
	p.progress.Behind = -1
	isolate(p.cmd)
	var err error
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		return nil, errWorker(err)
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, errWorker(err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errWorker(err)
	}
	go p.listen(output)
	if err := p.order(order{Start: &c}); err != nil {
		_, _ = p.Stop() // it has gone
		return nil, err
	}
	return p, nil
}

func (p *process) order(o order) error {
	if err := json.NewEncoder(p.input).Encode(o); err != nil {
		return errWorker(err)
	}
	return nil
}

// listen takes what the process says, to its end.
func (p *process) listen(output io.Reader) {
	defer close(p.done)
	decoder := json.NewDecoder(bufio.NewReaderSize(output, 64<<10))
	for {
		var w word
		err := decoder.Decode(&w)
		p.mu.Lock()
		switch {
		case err != nil:
			if p.result == nil && p.err == nil {
				p.err = errWorker(errors.New("it ended without a result"))
			}
		case w.Progress != nil:
			p.progress = *w.Progress
		case w.Result != nil:
			p.result = w.Result
		case w.Error != "":
			p.err = errWorker(errors.New(w.Error))
		}
		p.mu.Unlock()
		if err != nil {
			_ = p.cmd.Wait() // the result, or that there is none, says more
			return
		}
	}
}

// Progress implements Crowd.
func (p *process) Progress() Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// Expect implements Crowd.
func (p *process) Expect(final []uint64) {
	_ = p.order(order{Expect: final}) // Stop tells when the process has gone
}

// Stop implements Crowd.
func (p *process) Stop() (*Result, error) {
	_ = p.order(order{Stop: true}) // a process that has gone has no result
	_ = p.input.Close()
	select {
	case <-p.done:
	case <-time.After(stopPatience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, p.err
	}
	return p.result, nil
}
