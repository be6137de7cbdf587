package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/persistence/storetest"
)

// victimOf names the variable with the database of a process that shall be
// killed, followed by the ballot.
const victimOf = "OPONN_TEST_VICTIM"

// TestVictim appends votes until it is killed, and says which were
// acknowledged. It is run by TestKilled, in a process of its own.
func TestVictim(t *testing.T) {
	path := os.Getenv(victimOf)
	if path == "" {
		return
	}
	store := openStore(t, path)
	ids, err := store.Ballots(context.Background(), oponn.BallotID{}, 1)
	if err != nil || len(ids) != 1 {
		t.Fatalf("%d ballots, %v", len(ids), err)
	}
	record, err := store.Load(context.Background(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := storetest.Keys().Open(context.Background(), ids[0], record.Key)
	if err != nil {
		t.Fatal(err)
	}
	ballot, err := oponn.OpenBallot(record, key)
	if err != nil {
		t.Fatal(err)
	}
	subject := &storetest.Subject{Ballot: ballot, Record: record}
	fmt.Fprintln(os.Stdout, "ready")
	for {
		for _, vote := range storetest.Insist(t, store, subject.Batch(subject.NewVotes(t, 1+rand.IntN(5)))).Logged {
			fmt.Fprintln(os.Stdout, "voted", vote.ID, vote.Position)
		}
	}
}

// TestKilled kills a process that writes, again and again, at moments of
// chance: all that it had acknowledged is there.
func TestKilled(t *testing.T) {
	const times = 200
	path := filepath.Join(t.TempDir(), "oponn.db")
	first := openStore(t, path)
	subject := storetest.Create(t, first, storetest.Plan{})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]bool{}
	for range times {
		for _, id := range killOne(t, path) {
			acknowledged[id] = true
		}
	}
	_, log := subject.Recount(t, openStore(t, path))
	for _, vote := range log {
		delete(acknowledged, vote.ID.String())
	}
	t.Logf("killed %d times: %d votes in the log, %d acknowledged ones lost", times, len(log), len(acknowledged))
	if len(acknowledged) > 0 || len(log) < times {
		t.Errorf("lost: %v", acknowledged)
	}
}

// killOne starts a victim, kills it, and returns what it had acknowledged.
func killOne(t *testing.T, path string) (acknowledged []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	victim := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestVictim$")
	victim.Env = append(os.Environ(), victimOf+"="+path)
	said, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var end *time.Timer
	for lines := bufio.NewScanner(said); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case lines.Text() == "ready":
			end = time.AfterFunc(time.Duration(rand.IntN(30_000))*time.Microsecond, func() { _ = victim.Process.Kill() })
		case len(words) == 3 && words[0] == "voted":
			acknowledged = append(acknowledged, words[1])
		}
	}
	if err := victim.Wait(); err == nil || end == nil {
		t.Fatalf("it ended by itself: %v", err)
	}
	return acknowledged
}
