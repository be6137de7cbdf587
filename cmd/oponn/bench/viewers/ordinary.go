package viewers

import (
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// ordinary is a crowd of which each viewer has a goroutine and a stream of
// net/http.
type ordinary struct {
	config Config
	client http.Client
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	notes    *notes
	viewers  []viewer
	watching int
	gone     int
}

func gatherOrdinary(ctx context.Context, c Config) (Crowd, error) {
	ctx, cancel := context.WithCancel(ctx)
	o := &ordinary{config: c, cancel: cancel, viewers: make([]viewer, c.Viewers)}
	o.notes = newNotes(&o.config)
	transport := &http.Transport{ForceAttemptHTTP2: true, DisableCompression: true, TLSHandshakeTimeout: mostPause}
	if c.Insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // whoever asks for it tests a server of theirs
	}
	o.client.Transport = transport
	for i := range o.viewers {
		o.viewers[i] = newViewer(&o.config, i)
		o.group.Go(func() { o.watch(ctx, &o.viewers[i]) })
	}
	return o, nil
}

// watch keeps a viewer at its stream until the context ends.
func (o *ordinary) watch(ctx context.Context, v *viewer) {
	pause := time.Duration(v.due - now())
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		why := o.stream(ctx, v)
		if ctx.Err() != nil {
			return
		}
		var again bool
		if pause, again = o.lose(v, why); !again {
			return
		}
	}
}

// stream watches one stream to its end and says why it ended, if that is known.
func (o *ordinary) stream(ctx context.Context, v *viewer) (why string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.config.Targets[v.target]+o.config.Paths[v.ballot], nil)
	if err != nil {
		return lostConnecting
	}
	request.Header.Set("Accept", "text/event-stream")
	if v.seen {
		request.Header.Set("Last-Event-ID", strconv.FormatUint(v.version, 10))
	}
	response, err := o.client.Do(request)
	if err != nil {
		return lostConnecting
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return o.refused(v, response)
	}
	o.count(&o.watching, 1)
	defer o.count(&o.watching, -1)
	parser := Parser{phase: inBody}
	told := false
	emit := func(m Message) { told = o.hear(v, m) || told }
	buffer := make([]byte, 4<<10)
	for !told {
		n, err := response.Body.Read(buffer)
		o.read(&parser, buffer[:n], emit)
		if err != nil && !told {
			return lostBroken
		}
	}
	return lostTold
}

func (o *ordinary) read(parser *Parser, b []byte, emit func(Message)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.notes.result.Bytes += int64(len(b))
	_ = parser.Feed(b, emit) // without chunks and head nothing is malformed
}

// hear takes a message, with the lock held, and says whether to leave.
func (o *ordinary) hear(v *viewer, m Message) (leave bool) {
	if m.Retry > 0 {
		v.retry = m.Retry
	}
	switch m.Kind {
	case Frame:
		o.notes.frame(v, m.ID, now())
	case End, Busy:
		if v.gone = m.Kind == End && m.Retry == 0; !v.gone {
			o.notes.refuse("told to come back")
		}
		return true
	case Other:
	}
	return false
}

func (o *ordinary) refused(v *viewer, response *http.Response) string {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10)) // what it says is decoration
	o.mu.Lock()
	defer o.mu.Unlock()
	o.notes.refuse(reason(response.StatusCode, body))
	v.retry = 0
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds < 3600 {
		v.retry = int32(seconds*1000) + rand.Int32N(int32(seconds*1000)) //nolint:gosec // chance is all it has to be
	}
	v.gone = response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone
	return lostRefused
}

// lose notes that a stream has ended, and says when to come back.
func (o *ordinary) lose(v *viewer, why string) (pause time.Duration, again bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.notes.lost(v, why) {
		o.gone++
		return 0, false
	}
	return v.pause(rand.Int64N), true
}

func (o *ordinary) count(what *int, by int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*what += by
}

// Progress implements Crowd.
func (o *ordinary) Progress() Progress {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Progress{Joined: o.notes.result.Joined, Watching: o.watching, Gone: o.gone, Frames: o.notes.result.Frames, Behind: o.behind()}
}

func (o *ordinary) behind() (n int) {
	if o.notes.final == nil {
		return -1
	}
	for i := range o.viewers {
		if o.notes.behind(&o.viewers[i]) {
			n++
		}
	}
	return n
}

// Expect implements Crowd.
func (o *ordinary) Expect(final []uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.notes.final = clone(final)
}

// Stop implements Crowd.
func (o *ordinary) Stop() (*Result, error) {
	o.mu.Lock()
	stale := max(o.behind(), 0)
	o.notes.result.Watching = o.watching
	o.mu.Unlock()
	o.cancel()
	o.group.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.notes.finish(stale), nil
}
