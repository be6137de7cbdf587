package actors_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/actors"
	"github.com/oponn/oponn/actors/bus"
	"github.com/oponn/oponn/http/ops"
	"github.com/oponn/oponn/persistence/storetest"
)

// reading is a metric with labels, and what it is expected to read.
type reading struct {
	name   string
	labels []string
	want   float64
}

func reads(want float64, name string, labels ...string) reading { return reading{name, labels, want} }

// TestMetrics lets things happen and reads what was counted. A metric that no
// case is about is a failure, too.
func TestMetrics(t *testing.T) {
	read := make(map[string]bool)
	var names []string
	for name, tt := range map[string]struct {
		tune func(*actors.Config)
		do   func(w *world)
		want []reading
	}{
		"Votes": {do: func(w *world) {
			b, s := w.ballot(), &sink{}
			defer w.watch(b, s)()
			w.settle() // the ballot knows that somebody watches
			first := vote(b, "1")
			w.cast(first)
			w.cast(first)
			other := first
			other.VoteID = oponn.NewVoteID()
			w.castCode(other)
			w.castCode(vote(oponn.NewBallotID(), "1"))
			w.settle()
		}, want: []reading{
			reads(1, "oponn_votes_total", "outcome", "accepted"), reads(1, "oponn_votes_total", "outcome", "repeated"),
			reads(1, "oponn_votes_refused_total", "code", "already_voted"), reads(1, "oponn_votes_refused_total", "code", "not_found"),
			reads(3, "oponn_writer_batch_votes"), reads(3, "oponn_writer_transaction_votes"), reads(3, "oponn_writer_transaction_ballots"),
			reads(3, "oponn_writer_transaction_seconds"), reads(0, "oponn_writer_votes"), reads(0, "oponn_requests_in_flight"),
			reads(1, "oponn_vote_to_screen_seconds", "where", "local"), reads(3, "oponn_vote_stage_seconds", "stage", "mailbox"),
			reads(3, "oponn_vote_stage_seconds", "stage", "gather"), reads(3, "oponn_vote_stage_seconds", "stage", "commit"),
			reads(1, "oponn_vote_stage_seconds", "stage", "publish"), reads(2, "oponn_vote_stage_seconds", "stage", "render"),
			reads(1, "oponn_vote_stage_seconds", "stage", "write"), reads(1, "oponn_actor_messages_total", "kind", "subscriber"),
			reads(1, "oponn_actors_alive", "kind", "ballot"), reads(1, "oponn_ballots_awake"), reads(2, "oponn_actor_mailbox_seconds", "kind", "ballot"),
			reads(1, "oponn_actor_handling_seconds", "kind", "writer"), reads(6, "oponn_actor_messages_total", "kind", "writer"),
			reads(2, "oponn_actors_spawned_total", "kind", "ballot"), reads(1, "oponn_actors_stopped_total", "kind", "ballot"),
			reads(0, "oponn_actor_mailbox_messages"), reads(0, "oponn_actor_mailbox_messages_max"),
		}},
		"AChangedVote": {do: func(w *world) {
			created, err := w.Create(context.Background(), oponn.Draft{Question: "?", Options: []string{"a", "b"}, Rules: oponn.Rules{AllowChange: true}}, oponn.OwnerID{})
			if err != nil {
				w.t.Fatal(err)
			}
			first := vote(created.Snapshot.Ballot.ID, "1")
			w.cast(first)
			first.VoteID, first.Choices = oponn.NewVoteID(), []oponn.OptionID{"2"}
			w.cast(first)
		}, want: []reading{reads(1, "oponn_votes_total", "outcome", "changed")}},
		"WhatWaits": {do: func(w *world) {
			b := w.ballot()
			w.result(b)
			release := w.store.Hold()
			var done sync.WaitGroup
			defer done.Wait()
			defer release()
			for range 3 {
				done.Go(func() { w.castCode(vote(b, "1")) })
				synctest.Wait() // the first is being written, the others gather
			}
			w.expectRead(reads(3, "oponn_requests_in_flight"), reads(3, "oponn_requests_in_flight_per_ballot_max"),
				reads(1, "oponn_writer_votes"))
		}, want: []reading{reads(50_000, "oponn_requests_in_flight_limit"), reads(20_000, "oponn_requests_in_flight_per_ballot_limit"),
			reads(20_000, "oponn_ballots_awake_limit"), reads(10_000, "oponn_streams_limit"),
			reads(0, "oponn_requests_in_flight_per_ballot_max")}},
		"ShedOverAll":   {tune: func(c *actors.Config) { c.MaxInFlight = 1 }, do: shed, want: []reading{reads(2, "oponn_requests_shed_total", "limit", "in_flight")}},
		"ShedPerBallot": {tune: func(c *actors.Config) { c.MaxPerBallot = 1 }, do: shed, want: []reading{reads(2, "oponn_requests_shed_total", "limit", "in_flight_per_ballot")}},
		"ShedAwake": {tune: func(c *actors.Config) { c.MaxAwake = 1 }, do: func(w *world) {
			w.cast(vote(w.ballot(), "1"))
			w.castCode(vote(w.ballot(), "1"))
		}, want: []reading{reads(1, "oponn_requests_shed_total", "limit", "ballots_awake"), reads(1, "oponn_votes_refused_total", "code", "busy")}},
		"ShedStreams": {tune: func(c *actors.Config) { c.MaxStreams = 1 }, do: func(w *world) {
			b := w.ballot()
			defer w.watch(b, &sink{})()
			if _, err := w.Watch(context.Background(), b, oponn.Viewer{Group: counts, Sink: &sink{}}); err == nil {
				w.t.Error("a stream too many")
			}
		}, want: []reading{reads(1, "oponn_requests_shed_total", "limit", "streams")}},
		"ACommitThatWas":    {do: func(w *world) { w.lose(true) }, want: []reading{reads(1, "oponn_commits_unknown_total"), reads(1, "oponn_commits_resolved_total", "found", "committed")}},
		"ACommitThatWasNot": {do: func(w *world) { w.lose(false) }, want: []reading{reads(1, "oponn_commits_resolved_total", "found", "not_committed")}},
		"AnOwnersCommit": {do: func(w *world) {
			b := w.ballot()
			w.result(b)
			w.store.LoseNextCommit(true)
			if _, err := w.Change(context.Background(), b, oponn.Change{Status: oponn.Closed}); err != nil {
				w.t.Error(err)
			}
		}, want: []reading{reads(1, "oponn_commits_resolved_total", "found", "settled")}},
		"ACommitNobodyKnows": {do: func(w *world) {
			b := w.ballot()
			w.result(b)
			w.store.FailNext(1000, oponn.Retryable(oponn.CodeOutcomeUnknown, time.Second, nil, "lost"))
			w.castCode(vote(b, "1"))
			time.Sleep(10 * time.Second) // virtual time
			w.store.FailNext(0, nil)
		}, want: []reading{reads(1, "oponn_commits_resolved_total", "found", "unresolved"), reads(1, "oponn_votes_refused_total", "code", "outcome_unknown")}},
		"ACrash": {do: func(w *world) {
			w.castCode(w.keys.crasher(w.ballot()))
			w.settle()
		}, want: []reading{reads(1, "oponn_actors_failed_total", "kind", "ballot"), reads(1, "oponn_actors_restarted_total", "kind", "ballot"),
			reads(1, "oponn_actors_alive", "kind", "ballot")}},
		"Sleep": {do: func(w *world) {
			w.cast(vote(w.ballot(), "1"))
			time.Sleep(10 * time.Minute) // virtual time
		}, want: []reading{reads(1, "oponn_ballots_passivated_total"), reads(0, "oponn_ballots_awake"), reads(0, "oponn_actors_alive", "kind", "ballot")}},
		"Streams": {do: func(w *world) {
			b, stuck := w.ballot(), &sink{stuck: true}
			w.watch(b, &sink{})()
			w.watch(b, stuck)
			w.watch(b, &sink{})
			time.Sleep(4 * time.Second) // virtual time: the reaper has come
			w.expectRead(reads(1, "oponn_streams_lagging"), reads(2, "oponn_streams_open"), reads(2, "oponn_actors_alive", "kind", "subscriber"))
			time.Sleep(time.Minute) // virtual time
			if _, err := w.Change(context.Background(), b, oponn.Change{Status: oponn.Closed}); err != nil {
				w.t.Error(err)
			}
			w.settle()
		}, want: []reading{reads(3, "oponn_streams_opened_total"), reads(1, "oponn_streams_ended_total", "reason", "left"),
			reads(1, "oponn_streams_ended_total", "reason", "lagging"), reads(1, "oponn_streams_ended_total", "reason", "closed"),
			reads(0, "oponn_streams_open"), reads(0, "oponn_streams_lagging"), reads(3, "oponn_actors_stopped_total", "kind", "subscriber")}},
		"AFrameThatIsReplaced": {do: conflate, want: []reading{reads(1, "oponn_stream_frames_conflated_total", "at", "actor")}},
		"Relay": {do: func(w *world) {
			b := w.ballot()
			defer w.watch(b, &sink{})()
			w.cast(vote(b, "1"))
			time.Sleep(2200 * time.Millisecond) // virtual time
		}, want: []reading{reads(1, "oponn_relay_rounds_total", "result", "done"), reads(1, "oponn_relay_notices_total"),
			reads(2, "oponn_relay_sweeps_total", "result", "done"), reads(2, "oponn_relay_swept_ballots_total")}},
		"RelayThatNobodyHears": {do: func(w *world) { w.cast(vote(w.ballot(), "1")) }, // alone, and nobody watches
			want: []reading{reads(0, "oponn_relay_notices_total")}},
		"RelayInTrouble": {tune: func(c *actors.Config) { c.Store, c.Bus = headless{c.Store}, deafBus{c.Bus} }, do: func(w *world) {
			b := w.ballot()
			defer w.watch(b, &sink{})()
			w.cast(vote(b, "1"))
			time.Sleep(1200 * time.Millisecond) // virtual time
		}, want: []reading{reads(1, "oponn_relay_rounds_total", "result", "failed"), reads(1, "oponn_relay_sweeps_total", "result", "failed")}},
		"DeadLetters": {do: func(*world) {}, want: []reading{reads(0, "oponn_actor_dead_letters_total")}}, // see TestDeadLetters
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(c *actors.Config) {
				c.Meter = ops.NewMetrics()
				if tt.tune != nil {
					tt.tune(c)
				}
			}, func(w *world) {
				tt.do(w)
				w.settle()
				w.expectRead(tt.want...)
				names = w.metrics.Names()
			})
			for _, r := range tt.want {
				read[r.name] = true
			}
		})
	}
	for _, name := range names {
		if !read[name] {
			t.Errorf("no case is about %s", name)
		}
	}
}

// expectRead reads metrics.
func (w *world) expectRead(want ...reading) {
	w.t.Helper()
	for _, r := range want {
		if !slices.Contains(w.metrics.Names(), r.name) {
			w.t.Errorf("there is no %s", r.name)
		}
		if got := w.metrics.Read(r.name).Value(r.name, r.labels...); got != r.want {
			w.t.Errorf("%s %v reads %v, want %v", r.name, r.labels, got, r.want)
		}
	}
}

// settle lets what is under way end.
func (w *world) settle() {
	time.Sleep(500 * time.Millisecond) // virtual time
	synctest.Wait()
}

// shed casts three votes of which one can wait.
func shed(w *world) {
	b := w.ballot()
	w.result(b)
	release := w.store.Hold()
	var done sync.WaitGroup
	for range 3 {
		done.Go(func() { w.castCode(vote(b, "1")) })
	}
	synctest.Wait()
	release()
	done.Wait()
}

// lose casts a vote whose commit is not answered.
func (w *world) lose(committed bool) {
	b := w.ballot()
	w.result(b)
	w.store.LoseNextCommit(committed)
	w.cast(vote(b, "1"))
}

// pausingSink takes its time.
type pausingSink struct {
	sink
	pause chan struct{}
}

func (s *pausingSink) Flush() oponn.Progress {
	<-s.pause
	return s.sink.Flush()
}

// conflate has two frames come while a viewer's actor is busy.
func conflate(w *world) {
	b, s := w.ballot(), &pausingSink{pause: make(chan struct{})}
	stream, err := w.Watch(context.Background(), b, oponn.Viewer{Group: counts, Sink: s})
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	go stream.Wake()
	synctest.Wait()
	w.cast(vote(b, "1"))
	w.settle()
	w.cast(vote(b, "1"))
	w.settle()
	close(s.pause)
	synctest.Wait()
}

// headless is a store that can't be asked for heads, deafBus a bus that takes
// nothing.
type (
	headless struct{ oponn.Store }
	deafBus  struct{ oponn.Bus }
)

func (headless) Heads(context.Context, []oponn.BallotID) ([]oponn.Head, error) {
	return nil, errors.New("planted")
}

func (deafBus) Publish(context.Context, oponn.Notice) error { return errors.New("planted") }

// What another instance commits is measured here, from the vote's arrival
// there.
func TestMetrics_OverInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, shared := storetest.NewMemory(), bus.NewLocal()
		meter := func(c *actors.Config) { c.Meter = ops.NewMetrics() }
		here, there := newWorld(t, store, shared, meter), newWorld(t, store, shared.Join(), meter)
		b, s := here.ballot(), &sink{}
		defer there.watch(b, s)()
		store.SetLatency(30 * time.Millisecond)
		here.settle()
		here.cast(vote(b, "1"))
		here.settle()
		const name = "oponn_vote_to_screen_seconds"
		here.expectRead(reads(0, name))
		there.expectRead(reads(1, name, "where", "remote"), reads(0, name, "where", "local"))
		if took := there.metrics.Read(name).Values(name).Sum; took < 0.03 || took > 0.2 {
			t.Errorf("it took %v s, of which 0.03 in the store", took)
		}
		here.drain()
		there.drain()
	})
}

// Without a meter all goes on as with one.
func TestMetrics_NobodyMeters(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		b := w.ballot()
		defer w.watch(b, &sink{})()
		w.cast(vote(b, "1"))
		w.settle()
	})
}
