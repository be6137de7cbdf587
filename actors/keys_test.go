package actors_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func TestKeysAway(t *testing.T) {
	away := oponn.Retryable(oponn.CodeKeysUnavailable, time.Second, nil, "The key service can't be reached.")
	t.Run("an awake ballot goes on for a day, a cold one waits", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			id, cold := w.ballot(), w.ballot()
			s := &sink{}
			w.watch(id, s)
			w.cast(vote(id, "1"))
			w.keys.fail(away)
			if code := w.castCode(vote(cold, "1")); code != oponn.CodeKeysUnavailable {
				t.Errorf("a cold ballot: %s", code)
			}
			time.Sleep(23 * time.Hour) // virtual time
			w.cast(vote(id, "1"))
			time.Sleep(2 * time.Hour) // virtual time
			if code := w.castCode(vote(id, "1")); code != oponn.CodeKeysUnavailable {
				t.Errorf("after a day: %s", code)
			}
			if s.ended() != oponn.EndFault {
				t.Errorf("the stream ended %q", s.ended())
			}
			w.keys.fail(nil)
			w.cast(vote(cold, "1"))
			w.expectVotes(id, 2)
		})
	})
	for name, refusal := range map[string]*oponn.Error{
		"may not be used": oponn.Retryable(oponn.CodeKeysUnavailable, time.Second, oponn.ErrKeyDenied, "The key is locked."),
		"is damaged":      oponn.Internal(errors.New("damaged")),
	} {
		t.Run("one whose key "+name+" stops within minutes", func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				id := w.ballot()
				s := &sink{}
				w.watch(id, s)
				w.cast(vote(id, "1"))
				w.keys.fail(refusal)
				time.Sleep(20 * time.Minute) // virtual time
				if code := w.castCode(vote(id, "1")); code != refusal.Code {
					t.Errorf("a vote: %s", code)
				}
				if _, err := w.Result(context.Background(), id, 0); oponn.CodeOf(err) != refusal.Code {
					t.Errorf("a result: %v", err)
				}
				if s.ended() != oponn.EndFault {
					t.Errorf("the stream ended %q", s.ended())
				}
				w.keys.fail(nil)
				time.Sleep(time.Minute) // virtual time
				w.expectVotes(id, 1)
			})
		})
	}
}
