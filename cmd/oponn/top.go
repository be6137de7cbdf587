package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/oponn/oponn/views/console"
)

type topCommand struct {
	OpsAddr string `env:"OPONN_OPS_ADDR" default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address of the operators' listener. Default: ${default}."`
	Once    bool   `help:"Print what there is to see once, and end; so it is when the output is no terminal."`
}

const (
	// topEvery is the time between two looks, topPatience how long one may take.
	topEvery    = time.Second
	topPatience = 5 * time.Second
	// plainWidth is that of a terminal that doesn't say how wide it is.
	plainWidth = 100
)

// Run shows a server's console in the terminal, until q is pressed.
func (c topCommand) Run(ctx context.Context, t terminal) error {
	url, err := opsURL(c.OpsAddr)
	if err != nil {
		return err
	}
	look := func() (console.State, error) { return lookAt(ctx, url+"/console.json", c.OpsAddr) }
	screen, ok := t.out.(*os.File)
	if c.Once || !ok || !term.IsTerminal(int(screen.Fd())) {
		seen, err := look()
		if err != nil {
			return err
		}
		_, err = io.WriteString(t.out, drawTop(seen, plainWidth, 0))
		return err
	}
	return watchTop(ctx, screen, look)
}

// lookAt asks a server for what its console shows.
func lookAt(ctx context.Context, url, addr string) (seen console.State, err error) {
	ctx, cancel := context.WithTimeout(ctx, topPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return seen, err
	}
	response, err := direct.Do(request)
	if err != nil {
		return seen, fmt.Errorf("no server answers at OPONN_OPS_ADDR (%s)", addr)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return seen, fmt.Errorf("the server at OPONN_OPS_ADDR (%s) has no console: it answers %s", addr, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 4<<20)).Decode(&seen); err != nil {
		return seen, fmt.Errorf("the server at OPONN_OPS_ADDR (%s) says what is no console: %w", addr, err)
	}
	return seen, nil
}

// Sequences that terminals understand: another screen and back, the cursor
// hidden and shown, to the first line, the rest of a line cleared, and of the
// screen.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	restOfLine  = "\x1b[K"
	restOfAll   = "\x1b[J"
)

// watchTop draws every second until q is pressed or the context ends.
func watchTop(ctx context.Context, screen *os.File, look func() (console.State, error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if before, err := term.MakeRaw(int(os.Stdin.Fd())); err == nil {
		defer func() { _ = term.Restore(int(os.Stdin.Fd()), before) }()
		go awaitQuit(os.Stdin, stop)
	}
	if _, err := screen.WriteString(enterScreen); err != nil {
		return err
	}
	defer func() { _, _ = screen.WriteString(leaveScreen) }()
	turn := time.NewTicker(topEvery)
	defer turn.Stop()
	for {
		seen, err := look()
		if ctx.Err() != nil {
			return nil
		}
		if err := redraw(screen, seen, err); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-turn.C:
		}
	}
}

// awaitQuit reads keys until one ends the command: q, Ctrl-C or Ctrl-D, which a
// raw terminal passes on.
func awaitQuit(keys io.Reader, stop func()) {
	defer stop()
	for in := bufio.NewReader(keys); ; {
		key, err := in.ReadByte()
		if err != nil || strings.ContainsRune("qQ\x03\x04", rune(key)) {
			return
		}
	}
}

// redraw draws over what was there. A server that is away is waited for.
func redraw(screen *os.File, seen console.State, trouble error) error {
	width, height, err := term.GetSize(int(screen.Fd()))
	if err != nil || width <= 0 {
		width, height = plainWidth, 0
	}
	text := drawTop(seen, width, max(height-1, 0))
	if trouble != nil {
		text = trouble.Error() + "\n"
	}
	text += "q quits"
	text = home + strings.ReplaceAll(text, "\n", restOfLine+"\r\n") + restOfLine + restOfAll
	if _, err := screen.WriteString(text); err != nil {
		return errors.New("the terminal is gone")
	}
	return nil
}
