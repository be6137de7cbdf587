package ops_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn/http/ops"
)

// sickbed is a part that can fall ill.
type sickbed struct {
	err   atomic.Pointer[error]
	asked atomic.Int64
	takes time.Duration
}

func (s *sickbed) part(name string) ops.Part {
	return ops.Part{Name: name, Check: func(context.Context) error {
		s.asked.Add(1)
		time.Sleep(s.takes) // virtual time
		if err := s.err.Load(); err != nil {
			return *err
		}
		return nil
	}}
}

func (s *sickbed) ails(err error) { s.err.Store(&err) }

func TestServer_Ready_OneLookServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bed := &sickbed{takes: 100 * time.Millisecond}
		s := ops.New(ops.Config{Parts: []ops.Part{bed.part("store")}})
		var asking sync.WaitGroup
		for range 1000 {
			asking.Go(func() {
				if w := get(s, "http://localhost/readyz"); w.Code != http.StatusOK {
					t.Errorf("status %d", w.Code)
				}
			})
		}
		asking.Wait()
		get(s, "http://localhost/readyz")
		if n := bed.asked.Load(); n != 1 {
			t.Errorf("asked %d times for a thousand", n)
		}
		time.Sleep(time.Second) // virtual time
		get(s, "http://localhost/readyz")
		if n := bed.asked.Load(); n != 2 {
			t.Errorf("asked %d times a second later, want once more", n)
		}
	})
}

func TestServer_Ready_WhoLeavesDoesNotSpoilTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bed := &sickbed{takes: 100 * time.Millisecond}
		s := ops.New(ops.Config{Parts: []ops.Part{bed.part("store")}})
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/readyz", nil)
			s.ServeHTTP(discard{}, r)
		}()
		synctest.Wait()
		leave()
		if w := get(s, "http://localhost/readyz"); w.Code != http.StatusOK || bed.asked.Load() != 1 {
			t.Errorf("status %d after %d looks", w.Code, bed.asked.Load())
		}
	})
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func TestServer_Ready_AHangingCheckIsCalledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		release := make(chan struct{})
		s := ops.New(ops.Config{Parts: []ops.Part{{Name: "kms", Check: func(context.Context) error {
			calls.Add(1)
			<-release // deaf to its context
			return nil
		}}}})
		for range 5 {
			if w := get(s, "http://localhost/readyz"); !strings.HasPrefix(w.Body.String(), "degraded\n") {
				t.Errorf("got %s", w.Body)
			}
			time.Sleep(2 * time.Second) // virtual time
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("called %d times", n)
		}
		close(release)
		synctest.Wait()
		if w := get(s, "http://localhost/readyz"); w.Body.String() != "ready\nkms: ok\n" {
			t.Errorf("got %s", w.Body)
		}
	})
}

func TestServer_Ready_RemembersSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bed, knowing := &sickbed{}, &sickbed{}
		s := ops.New(ops.Config{Parts: []ops.Part{bed.part("files"), knowing.part("bus")}})
		since := func() (found [2]string) {
			var got struct{ Parts []struct{ Since string } }
			if err := json.Unmarshal(get(s, "http://localhost/readyz", "Accept", "application/json").Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			for i, part := range got.Parts {
				_, found[i], _ = strings.Cut(strings.TrimSuffix(part.Since, "Z"), "T")
			}
			return found
		}
		want := func(files, bus string) {
			t.Helper()
			if got := since(); got != [2]string{files, bus} {
				t.Errorf("since %q, want %q and %q", got, files, bus)
			}
		}
		want("", "")
		time.Sleep(10 * time.Second) // virtual time
		bed.ails(errors.New("full"))
		knowing.ails(&ops.AilmentError{Since: time.Now().Add(-7 * time.Second), Err: errors.New("away")})
		want("00:00:10", "00:00:03")
		time.Sleep(10 * time.Second) // virtual time
		bed.ails(errors.New("fuller"))
		want("00:00:10", "00:00:03")
		bed.err.Store(nil)
		time.Sleep(10 * time.Second) // virtual time
		want("", "00:00:03")
		bed.ails(errors.New("full again"))
		time.Sleep(10 * time.Second) // virtual time
		want("00:00:40", "00:00:03")
	})
}

func TestServer_Watch_LogsWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		bed := &sickbed{}
		s := ops.New(ops.Config{Parts: []ops.Part{bed.part("bus")}, Logger: slog.New(slog.NewTextHandler(&out, nil))})
		ctx, stop := context.WithCancel(t.Context())
		go s.Watch(ctx)
		time.Sleep(time.Minute) // virtual time
		bed.ails(errors.New("away"))
		time.Sleep(time.Minute) // virtual time
		bed.err.Store(nil)
		time.Sleep(time.Minute) // virtual time
		stop()
		synctest.Wait()
		if text := out.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, `msg="part is not well" part=bus needed=false since=2000-01-01T00:01:0`) ||
			!strings.Contains(text, `msg="part is well again" part=bus`) {
			t.Errorf("logged:\n%s", text)
		}
	})
}

func TestServer_Ready_SaysSinceWhenItDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ops.New(ops.Config{})
		s.Drain()
		time.Sleep(3 * time.Second) // virtual time
		s.Drain()
		if w := get(s, "http://localhost/readyz"); w.Body.String() != "draining\nsince 2000-01-01T00:00:00Z\n" {
			t.Errorf("got %s", w.Body)
		}
	})
}

func TestServer_Ready_IsMeasured(t *testing.T) {
	var err error
	synctest.Test(t, func(t *testing.T) {
		s := ops.New(ops.Config{Parts: []ops.Part{{Name: "store", Needed: true, Check: func(context.Context) error { return err }}, {Name: "kms", Check: fine}}})
		wants := func(lines ...string) {
			t.Helper()
			get(s, "http://localhost/readyz")
			shown := get(s, "http://localhost/metrics").Body.String()
			for _, line := range lines {
				if !strings.Contains(shown, "\n"+line+"\n") {
					t.Errorf("%s is not among the metrics", line)
				}
			}
		}
		wants(`oponn_part_degraded{part="store"} 0`, `oponn_part_degraded{part="kms"} 0`, "oponn_draining 0")
		err = errors.New("it is on fire")
		time.Sleep(time.Minute) //nolint:forbidigo // virtual time
		wants(`oponn_part_degraded{part="store"} 1`, `oponn_part_degraded{part="kms"} 0`)
		s.Drain()
		wants("oponn_draining 1")
	})
}
