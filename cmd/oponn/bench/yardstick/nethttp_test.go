package yardstick

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// The plain way: a net/http handler for each connection, which waits for its
// channel of one frame. POST /publish hands a frame to all channels.
type fan struct {
	mu       sync.Mutex
	channels map[chan []byte]bool
}

func runNetHTTP() error {
	f := &fan{channels: map[chan []byte]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /publish", f.publish)
	mux.HandleFunc("GET /watch", f.watch)
	server := &http.Server{Addr: os.Getenv("OPONN_YARDSTICK_ADDR"), Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

func (f *fan) publish(_ http.ResponseWriter, r *http.Request) {
	frame, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.channels {
		select {
		case c <- frame:
		default: // the viewer has not taken the one before
			select {
			case <-c:
			default:
			}
			c <- frame
		}
	}
}

func (f *fan) watch(w http.ResponseWriter, r *http.Request) {
	c := make(chan []byte, 1)
	f.mu.Lock()
	f.channels[c] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.channels, c)
		f.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	if flush.Flush() != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case frame := <-c:
			if _, err := w.Write(frame); err != nil {
				return
			}
			if err := flush.Flush(); err != nil {
				return
			}
		}
	}
}

// event is a frame as the publisher of others than Oponn makes it.
func event(number uint64, filler []byte) []byte {
	return fmt.Appendf(nil, "id: %d\ndata: %s\n\n", number, filler)
}
