package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors/bus/redistest"
)

func TestRedis_Roster(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{
		"single":  redistest.URL,
		"cluster": func(t testing.TB) string { return redistest.StartCluster(t).URL },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, at, namespace := context.Background(), url(t), redistest.Namespace(t)
			here, there := open(t, at, namespace), open(t, at, namespace)
			well(t, here, there)
			want := oponn.Presence{Name: "host/2", Version: "1.2.3", Status: "ready", Started: time.Unix(1000, 0).UTC(),
				Votes: 12.5, Awake: 3, Streams: 4, Heard: time.Unix(2000, 0).UTC()}
			other := want
			other.Name, other.Status = "host/1", "draining"
			for _, err := range []error{here.Tell(ctx, want), there.Tell(ctx, other), here.Tell(ctx, want)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			present, err := there.Present(ctx)
			if err != nil || len(present) != 2 || present[0] != other || present[1] != want {
				t.Errorf("%+v, %v", present, err)
			}
		})
	}
	t.Run("those who tell no more are forgotten, and what can't be read is left out", func(t *testing.T) {
		ctx, url, namespace := context.Background(), redistest.URL(t), redistest.Namespace(t)
		b, client := open(t, url, namespace), redistest.Client(t, url)
		well(t, b)
		for _, name := range []string{"gone", "strange", "here"} {
			if err := b.Tell(ctx, oponn.Presence{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		names := namespace + ":1:{instances}:"
		if left := client.TTL(ctx, names+"here").Val(); left <= 0 || left > 15*time.Second {
			t.Errorf("the word counts for %s", left)
		}
		client.Del(ctx, names+"gone")
		client.Set(ctx, names+"strange", "\x02later", time.Minute)
		present, err := b.Present(ctx)
		if err != nil || len(present) != 1 || present[0].Name != "here" {
			t.Errorf("%+v, %v", present, err)
		}
		if n := client.SCard(ctx, names).Val(); n != 2 {
			t.Errorf("%d names are kept, want 2", n)
		}
	})
	t.Run("without Redis it says so", func(t *testing.T) {
		b := open(t, "redis://127.0.0.1:1", "test")
		if err := b.Tell(context.Background(), oponn.Presence{Name: "here"}); err == nil {
			t.Error("told nobody")
		}
		if _, err := b.Present(context.Background()); err == nil {
			t.Error("somebody is present")
		}
	})
}
