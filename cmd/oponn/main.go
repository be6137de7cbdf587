// Command oponn is the voting service and everything to run it with: one
// binary. It wires the packages together and reads the configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/oponn/oponn"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // the command line or a setting is wrong
)

// commands is the command line.
type commands struct {
	Serve    serveCommand    `cmd:"" default:"withargs" help:"Serve ballots (the default)."`
	Verify   verifyCommand   `cmd:"" help:"Recount the votes and compare them with the results; also beside a running server."`
	Export   exportCommand   `cmd:"" help:"Write the result of a ballot, or its votes, to a file; also beside a running server."`
	Takedown takedownCommand `cmd:"" help:"Delete a ballot, for good; also beside running servers."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database's schema up to date, list what that takes, or undo a step."`
	Keys     keysCommand     `cmd:"" help:"Make, look at, and change the master key."`
	Bench    benchCommand    `cmd:"" help:"Load-test a server: voters, viewers, and what they saw."`
	Viewers  viewersCommand  `cmd:"" hidden:"" help:"A process of viewers, started by bench."`
	Health   healthCommand   `cmd:"" help:"Ask the server of this machine whether it is ready: 0 if so, else 1."`
	Top      topCommand      `cmd:"" help:"Watch the server of this machine in the terminal: actors, hottest ballots, instances."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// terminal is where a command writes: results to out, everything else to err.
type terminal struct{ out, err io.Writer }

// errFailed is the error of a command that has already said what is wrong.
var errFailed = errors.New("failed")

func main() {
	// The first signal asks to end. The second one ends the process at once,
	// for the context gives signals back when it is done.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], terminal{out: os.Stdout, err: os.Stderr}))
}

// run runs one command and returns the exit code.
func run(ctx context.Context, args []string, t terminal) int {
	err := loadEnvironment(".env")
	if err == nil && os.Getenv("OPONN_ENV") == "production" { // the commands beside a server open keys as well
		err = keepMemory()
	}
	if err == nil {
		err = runCommand(ctx, args, t)
	}
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailure
	case errors.As(err, &usage):
		fmt.Fprintln(t.err, usage.Error())
		return exitUsage
	default:
		fmt.Fprintln(t.err, "oponn:", plainly(err))
		return exitFailure
	}
}

// plainly returns an error in one line, for operators: the causes of errors,
// without what those say to voters.
func plainly(err error) string {
	text := err.Error()
	var coded *oponn.Error
	for cause := err; errors.As(cause, &coded) && coded.Cause != nil; cause = coded.Cause {
		text = strings.Replace(text, coded.Error(), coded.Cause.Error(), 1)
	}
	return strings.Join(strings.Fields(text), " ")
}

// usageError is an error of whoever called us.
type usageError struct{ error }

func runCommand(ctx context.Context, args []string, t terminal) error {
	var cli commands
	command, err := cli.parse(args, t)
	if err != nil || command == nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(t)
}

// parse reads the command line. It returns nil when that only asked for help,
// which has been printed then.
func (c *commands) parse(args []string, t terminal) (*kong.Context, error) {
	helped := false
	parser, err := kong.New(c,
		kong.Name("oponn"),
		kong.Description("Live voting. Settings come from flags, from the environment, and from a file .env in the working "+
			"directory: what is named first counts. Times are written like 500ms, 5s or 2m."),
		kong.Writers(t.out, t.err),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(withVariable),
	)
	if err != nil {
		return nil, err
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return nil, nil
	case err != nil:
		return nil, usageError{fmt.Errorf("oponn: %w (oponn --help says what there is)", err)}
	default:
		return command, nil
	}
}

// withVariable returns the help of a flag with the variable that does the same.
func withVariable(flag *kong.Value) string {
	if len(flag.Tag.Envs) == 0 {
		return flag.Help
	}
	return flag.Help + " [" + strings.Join(flag.Tag.Envs, "] [") + "]"
}
