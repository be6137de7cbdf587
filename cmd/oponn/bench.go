package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench"
	"github.com/oponn/oponn/cmd/oponn/bench/report"
	"github.com/oponn/oponn/cmd/oponn/bench/viewers"
)

type benchCommand struct {
	Run     benchRunCommand     `cmd:"" default:"withargs" help:"Run a load test (the default)."`
	Compare benchCompareCommand `cmd:"" help:"Put two reports side by side."`
}

type benchRunCommand struct {
	Targets  []string `arg:"" optional:"" name:"url" help:"Servers to test, such as http://127.0.0.1:8080; load is spread over them. They have to be on this machine."`
	Self     bool     `help:"Start a server of its own, with SQLite in a temporary directory or a scratch database of the given Postgres, and end it afterwards."`
	Database string   `env:"DATABASE_URL" placeholder:"URL" help:"With --self: Postgres, instead of SQLite. The test makes a database of its own there and drops it."`
	IOwnThis bool     `name:"i-own-this" help:"Allow targets that are other machines. Testing what is not yours is an attack."`
	Insecure bool     `help:"Accept every certificate."`
	PID      []int    `name:"pid" placeholder:"PID,…" help:"Processes of the server, such as Oponn and Postgres: tell what they and their children use."`

	Ballots  int      `default:"1" placeholder:"N" help:"Ballots to open and vote on. Default: ${default}."`
	Options  int      `default:"4" placeholder:"N" help:"Options of each. Default: ${default}."`
	Ballot   []string `placeholder:"ID,…" help:"Ballots that are there already, instead."`
	HotShare float64  `placeholder:"SHARE" help:"Share of the votes that goes to the first ballot, such as 0.9. Default: all alike."`

	Connections int           `default:"256" placeholder:"N" help:"Voters at once: each sends its next vote when the last one is answered. 0 for none. Default: ${default}."`
	Rate        rateFlag      `placeholder:"N/s" help:"Votes that fall due each second, such as 5000/s, whether or not the server keeps up. Latency counts from when a vote was due. Default: as fast as connections allow."`
	Ramp        time.Duration `placeholder:"TIME" help:"How long the load takes to grow to its full size."`
	Duration    time.Duration `default:"10s" placeholder:"TIME" help:"How long votes are cast. Default: ${default}."`
	Votes       int64         `placeholder:"N" help:"How many votes are cast at most."`
	Form        bool          `help:"Vote like browsers: get the page, then post its form. Default: by the API."`
	Repeats     float64       `placeholder:"SHARE" help:"Share of acknowledged votes that is sent once more, such as 0.01."`
	Tries       int           `default:"5" placeholder:"N" help:"How often a vote is sent when it is refused for now, or gets no answer. Default: ${default}."`
	Deadline    time.Duration `default:"10s" placeholder:"TIME" help:"How long a vote is worth trying. Default: ${default}."`

	Viewers         int           `placeholder:"N" help:"Viewers who watch the result."`
	Pages           bool          `help:"They watch as pages do. Default: as clients of the API."`
	Join            time.Duration `placeholder:"TIME" help:"They come within that time. Default: at once."`
	JoinWhileVoting bool          `help:"They come while votes are cast. Default: before."`
	Rest            time.Duration `placeholder:"TIME" help:"How long they only watch before votes are cast; the server's memory per viewer is measured at its end."`
	Processes       int           `placeholder:"N" help:"Processes that viewers are spread over. Default: one for all, or as many as they need."`
	Settle          time.Duration `default:"5s" placeholder:"TIME" help:"How long viewers may take to join, and to get the final result. Default: ${default}."`

	JSON       string        `name:"json" placeholder:"FILE" help:"Write the report as JSON."`
	HTML       string        `name:"html" placeholder:"FILE" help:"Write the report as a page with plots."`
	MaxP99     time.Duration `name:"max-p99" placeholder:"TIME" help:"Fail when vote-to-acknowledgement is longer at p99."`
	MaxScreen  time.Duration `placeholder:"TIME" help:"Fail when vote-to-screen is longer at p99."`
	MaxLost    int64         `default:"-1" placeholder:"N" help:"Fail when more votes are lost or doubled, such as 0."`
	MaxRefused int64         `default:"-1" placeholder:"N" help:"Fail when more answers are refusals."`
	MinRate    rateFlag      `placeholder:"N/s" help:"Fail when fewer votes a second are acknowledged."`
}

// Help implements kong.HelpProvider.
func (benchRunCommand) Help() string {
	return "oponn bench --self shows numbers at once. See docs/bench.md."
}

// rateFlag is a rate a second, written like 5000/s.
type rateFlag float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *rateFlag) UnmarshalText(text []byte) error {
	var n float64
	if _, err := fmt.Sscanf(strings.TrimSuffix(string(text), "/s")+"\n", "%g\n", &n); err != nil || n < 0 {
		return fmt.Errorf("%q is no rate; one is written like 5000/s", text)
	}
	*r = rateFlag(n)
	return nil
}

// Run runs the load test and says what it found.
func (c benchRunCommand) Run(ctx context.Context, t terminal) (err error) {
	plan, err := c.plan()
	if err != nil {
		return usageError{err}
	}
	if c.Self {
		own, err := startOwn(ctx, c.Database)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, own.end(ctx)) }()
		plan.Targets, plan.PIDs = []string{own.url}, append(plan.PIDs, own.pid())
	}
	told, done := tellProgress(t.err)
	plan.Progress = told
	r, err := bench.Run(ctx, plan)
	done()
	if r == nil {
		return err
	}
	return errors.Join(err, c.show(r, t))
}

func (c benchRunCommand) plan() (bench.Plan, error) {
	self, err := os.Executable()
	switch {
	case err != nil:
		return bench.Plan{}, err
	case c.Self && len(c.Targets) > 0:
		return bench.Plan{}, errors.New("oponn: either --self or a target")
	case !c.Self && len(c.Targets) == 0:
		return bench.Plan{}, errors.New("oponn: what is to be tested? Name a URL, such as http://127.0.0.1:8080, or say --self")
	}
	return bench.Plan{
		Targets: c.Targets, OwnThis: c.IOwnThis, Insecure: c.Insecure, PIDs: c.PID, Version: version(),
		Ballots: c.Ballots, Options: c.Options, IDs: c.Ballot, HotShare: c.HotShare,
		Connections: c.Connections, Rate: float64(c.Rate), Ramp: c.Ramp, Duration: c.Duration, Votes: c.Votes,
		Form: c.Form, Repeats: c.Repeats, Tries: c.Tries, Deadline: c.Deadline,
		Viewers: c.Viewers, Pages: c.Pages, Join: c.Join, JoinWhileVoting: c.JoinWhileVoting,
		Rest: c.Rest, Processes: c.Processes, Worker: []string{self, "viewers"}, Settle: c.Settle,
	}, nil
}

// show prints and writes the report, and holds it against the thresholds.
func (c benchRunCommand) show(r *report.Report, t terminal) error {
	r.Print(t.out)
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{{c.JSON, r.Write}, {c.HTML, r.WriteHTML}} {
		if file.name == "" {
			continue
		}
		if err := writeFile(file.name, file.write); err != nil {
			return err
		}
	}
	limits := report.Limits{P99: c.MaxP99, Screen: c.MaxScreen, Rate: float64(c.MinRate), Lost: c.MaxLost, Refused: c.MaxRefused}
	failures := limits.Check(r)
	for _, failure := range failures {
		fmt.Fprintln(t.err, "oponn:", failure)
	}
	if len(failures) > 0 {
		return errFailed
	}
	return nil
}

func writeFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

type benchCompareCommand struct {
	Before string `arg:"" type:"existingfile" help:"A report as JSON."`
	After  string `arg:"" type:"existingfile" help:"Another one."`
}

// Run prints both reports and their ratios.
func (c benchCompareCommand) Run(t terminal) error {
	var reports [2]*report.Report
	for i, name := range []string{c.Before, c.After} {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		reports[i], err = report.Read(file)
		_ = file.Close() // it was only read
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	report.Compare(t.out, reports[0], reports[1])
	return nil
}

type viewersCommand struct{}

// Run watches as it is told on standard input.
func (viewersCommand) Run(ctx context.Context) error {
	return viewers.Work(ctx, os.Stdin, os.Stdout)
}
