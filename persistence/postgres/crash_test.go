package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/postgres"
	"github.com/oponn/oponn/persistence/postgres/pgtest"
	"github.com/oponn/oponn/persistence/storetest"
)

func TestAcknowledgedVotesSurviveCrashes(t *testing.T) {
	const crashes, workers, size = 20, 4, 5
	server := pgtest.NewServer(t)
	stores := []*postgres.Store{openStore(t, server.URL()), openStore(t, server.URL()), openStore(t, server.URL())}
	// One ballot that two instances move, and some that nobody else moves.
	shared := newLoad(t, stores[0])
	loads := []*load{shared}
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for i := range workers {
		alone := newLoad(t, stores[0])
		loads = append(loads, alone)
		wait.Go(func() { shared.append(t, ctx, stores[i%2], size) })
		wait.Go(func() { alone.append(t, ctx, stores[2], size) })
	}
	all := func() (votes int) {
		for _, l := range loads {
			votes += l.count()
		}
		return votes
	}
	for range crashes {
		before := all()
		eventually(t, "more votes", func() bool { return all() > before+50*size })
		server.Crash(t)
		server.Start(t)
	}
	before := all()
	eventually(t, "votes after the last crash", func() bool { return all() > before })
	stop()
	wait.Wait()
	for _, l := range loads {
		_, log := l.subject.Recount(t, stores[0])
		lost, doubled := l.compare(log)
		t.Logf("%d crashes: %d votes acknowledged, %d commits unknown, %d failed; %d lost, %d doubled",
			crashes, len(l.acknowledged), l.unknown, l.failed, lost, doubled)
		if lost != 0 || doubled != 0 || len(log) != len(l.acknowledged) {
			t.Errorf("%d votes in the log", len(log))
		}
	}
}

// load is what several voters' batches came to.
type load struct {
	subject *storetest.Subject

	mu              sync.Mutex
	acknowledged    map[oponn.VoterTag]oponn.LoggedVote
	last            oponn.Effect // of those that were acknowledged
	unknown, failed int
}

func newLoad(t *testing.T, store *postgres.Store) *load {
	return &load{subject: storetest.Create(t, store, storetest.Plan{}), acknowledged: map[oponn.VoterTag]oponn.LoggedVote{}}
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

// append sends batches until the context ends, each until it is acknowledged.
func (l *load) append(t *testing.T, ctx context.Context, store *postgres.Store, size int) { //nolint:revive // t first, as in every helper
	for ctx.Err() == nil {
		batch := l.next(l.subject.NewVotes(t, size))
		for !l.note(t, storetest.AppendOne(store, batch)) {
			wait := time.NewTimer(time.Millisecond)
			<-wait.C
		}
	}
}

// next returns a batch on the newest head that is known, as a ballot sends it.
func (l *load) next(votes []oponn.Vote) oponn.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last.Head.Version == 0 {
		return l.subject.Batch(votes)
	}
	return l.subject.After(l.last, votes)
}

func (l *load) note(t *testing.T, done oponn.Appended) (acknowledged bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch oponn.CodeOf(done.Err) {
	case "":
		if done.Effect.Head.Version > l.last.Head.Version {
			l.last = done.Effect
		}
		for _, outcome := range done.Effect.Outcomes {
			if outcome.Err != nil {
				t.Errorf("vote: %v", outcome.Err)
			}
			l.acknowledged[outcome.Logged.Tag] = outcome.Logged
		}
		return true
	case oponn.CodeOutcomeUnknown:
		l.unknown++
	case oponn.CodeStoreUnavailable, oponn.CodeBusy:
		l.failed++
	default:
		t.Errorf("append: %v", done.Err)
		return true
	}
	return false
}

// compare counts the acknowledged votes that the log doesn't have as they were
// acknowledged, and voters that it has twice.
func (l *load) compare(log []oponn.LoggedVote) (lost, doubled int) {
	logged := map[oponn.VoterTag]oponn.LoggedVote{}
	for _, v := range log {
		if _, ok := logged[v.Tag]; ok {
			doubled++
		}
		logged[v.Tag] = v
	}
	for tag, v := range l.acknowledged {
		if got := logged[tag]; got.ID != v.ID || got.Position != v.Position || got.Version != v.Version {
			lost++
		}
	}
	return lost, doubled
}
