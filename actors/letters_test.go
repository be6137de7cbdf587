package actors

import (
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/oponn/oponn/http/ops"
)

func TestDeadLetters_AreCountedByKind(t *testing.T) {
	metrics := ops.NewMetrics()
	framework := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	s := &System{framework: framework, root: framework.Root, meters: newMeters(metrics)}
	framework.EventStream.Subscribe(s.deadLetter)
	nobody := framework.NewLocalPID("nobody")
	vote := &castVote{}
	vote.admitted.from, vote.admitted.line, vote.done = newAdmission(1, 1, nil), &line{}, make(chan struct{}, 1)
	sub := &subscriber{}
	sub.posts.Store(1) // as if somebody ran it
	for kind, message := range map[string]any{
		"vote": vote, "result": &getResult{}, "change": &changeBallot{}, "watch": &watchBallot{}, "open_stream": &openStream{},
		"committed": &committed{job: &job{}}, "join": &join{sub: sub}, "left": &left{}, "crowd": &crowd{}, "other": &idle{},
		"batch": &appendBatch{job: &job{}},
	} {
		if got := letterKind(message); got != kind {
			t.Errorf("%T is taken for a %s", message, got)
		}
		if kind == "vote" || kind == "join" || kind == "other" {
			framework.Root.Send(nobody, message)
			if got := metrics.Read("oponn_actor_dead_letters_total").Value("oponn_actor_dead_letters_total", "message", kind); got != 1 {
				t.Errorf("%v dead letters of kind %s, want 1", got, kind)
			}
		}
	}
	if got := len(vote.done); got != 1 {
		t.Error("whoever cast the vote waits for ever")
	}
}
