package http

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/oponn/oponn"
)

func TestMemo(t *testing.T) {
	m, made := newMemo[int, string](3, 1), 0
	get := func(key int) string {
		t.Helper()
		value, err := m.get(context.Background(), key, func() (string, error) {
			made++
			return strconv.Itoa(key), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	for range 2 {
		for key := range 3 {
			if got := get(key); got != strconv.Itoa(key) {
				t.Errorf("%d is %q", key, got)
			}
		}
	}
	if made != 3 {
		t.Errorf("3 were made %d times", made)
	}
	get(3) // the oldest makes room
	get(1)
	if get(0); made != 5 || len(m.kept) != 3 || len(m.order) != 3 {
		t.Errorf("made %d, kept %d of %d", made, len(m.kept), len(m.order))
	}
	m.drop(0)
	m.drop(7)
	if get(0); made != 6 || len(m.kept) != 3 || len(m.order) != 3 {
		t.Errorf("made %d, kept %d of %d", made, len(m.kept), len(m.order))
	}
	fault := errors.New("broken")
	if _, err := m.get(context.Background(), 9, func() (string, error) { return "", fault }); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	if get(9) != "9" {
		t.Error("an error was kept")
	}
}

func TestMemo_BoundsTheWork(t *testing.T) {
	m := newMemo[int, string](3, 1)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := m.get(context.Background(), 1, func() (string, error) {
		cancel()
		_, err := m.get(ctx, 2, func() (string, error) { return "two", nil })
		return "one", err
	})
	if oponn.CodeOf(err) != oponn.CodeBusy || !errors.Is(err, context.Canceled) {
		t.Errorf("one too many got %v", err)
	}
}

func TestMemo_StartsOnceForAll(t *testing.T) {
	m, begun, release := newMemo[int, string](3, 1), 0, make(chan struct{})
	create := func() string {
		begun++
		<-release
		return "slow"
	}
	first, second := m.start(1, create), m.start(1, create)
	if m.start(2, create) != nil {
		t.Error("more is under way than may be")
	}
	close(release)
	<-first
	<-second
	if value, ok := m.find(1); !ok || value != "slow" || begun != 1 {
		t.Errorf("found %q after %d beginnings", value, begun)
	}
	<-m.start(2, create)
	if _, ok := m.find(2); !ok || len(m.underway) > 0 {
		t.Error("the next one can't begin")
	}
}
