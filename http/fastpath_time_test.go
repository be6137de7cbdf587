package http

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/reactor"
)

// yes takes every vote.
type yes struct {
	Ballots
	votes int
	cast  oponn.Cast // the last
}

func (y *yes) Cast(_ context.Context, cast oponn.Cast) (oponn.Receipt, error) {
	y.votes++
	return oponn.Receipt{VoteID: cast.VoteID, Locator: "x", Version: uint64(y.votes)}, nil
}

func (y *yes) CastThen(ctx context.Context, cast oponn.Cast, told func(oponn.Casting)) error {
	y.Cast(ctx, cast)
	y.cast = cast
	told(y)
	return nil
}

// Receipt implements oponn.Casting.
func (y *yes) Receipt() (oponn.Receipt, error) {
	return oponn.Receipt{VoteID: y.cast.VoteID, Locator: "x", Version: uint64(y.votes)}, nil
}

// single is a listener of one connection.
type single struct {
	conn net.Conn
	end  chan struct{}
}

func (l *single) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.end
	return nil, net.ErrClosed
}

func (l *single) Close() error   { close(l.end); return nil }
func (l *single) Addr() net.Addr { return &net.TCPAddr{} }

// TestFastPath_Time: a connection that votes now and then stays, one that has
// not for as long as any may be idle is ended, and so is one that does not take
// its answers.
func TestFastPath_Time(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ballots := &yes{}
		s, err := New(Config{Secrets: [][]byte{[]byte("a secret that only the tests know")}, Logger: slog.New(slog.DiscardHandler)}, ballots)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		l := &single{&conn{Conn: ours, server: s}, make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- s.http.Serve(l) }()
		defer func() { s.http.Close(); theirs.Close(); <-served }()
		vote := func() string {
			return aVote(`{"choices":["1"]}`, "Host: vote.example", "Authorization: Bearer "+newVoterToken(s.tokens, time.Now()),
				"Idempotency-Key: "+oponn.NewVoteID().String(), "Content-Type: application/json")
		}
		answers := bufio.NewReader(theirs)
		for n := range 10 {
			if _, err := io.WriteString(theirs, vote()); err != nil {
				t.Fatalf("vote %d: %v", n, err)
			}
			r, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatalf("vote %d: %v", n, err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != http.StatusCreated || !strings.Contains(string(body), `"receipt":"x"`) {
				t.Fatalf("vote %d: %d %s, %v", n, r.StatusCode, body, err)
			}
			<-time.After(s.http.IdleTimeout - time.Second)
		}
		if _, err := io.WriteString(theirs, vote()); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		<-time.After(s.http.WriteTimeout + time.Second) // nobody reads the answer
		if n, err := theirs.Read(make([]byte, 1)); err == nil {
			t.Errorf("%v later %d bytes of the answer are there", time.Since(begin), n)
		}
		if ballots.votes != 11 {
			t.Errorf("%d votes were cast", ballots.votes)
		}
	})
}

// nowhere is a connection whose answers nobody gets.
type nowhere struct{ net.Conn }

func (nowhere) Write(b []byte) (int, error)      { return len(b), nil }
func (nowhere) SetReadDeadline(time.Time) error  { return nil }
func (nowhere) SetWriteDeadline(time.Time) error { return nil }
func (nowhere) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// fastVotes returns a function that casts the next vote of a connection.
func fastVotes(tb testing.TB) func() {
	tb.Helper()
	return votes(tb, func(f *fastPath, vote []byte) bool {
		served, err := f.serve(vote)
		return served && err == nil
	})
}

// laterVotes is fastVotes for one that the reactor looks after.
func laterVotes(tb testing.TB) func() {
	tb.Helper()
	return votes(tb, func(f *fastPath, vote []byte) bool {
		if f.answer.pending == nil {
			f.answer.pending = newPending(f)
		}
		verdict := f.answer.pending.Begin(vote, func() {})
		answer, last := f.answer.pending.Answer()
		f.answer.pending.Done()
		return verdict == reactor.Later && len(answer) > 0 && !last
	})
}

func votes(tb testing.TB, cast func(*fastPath, []byte) bool) func() {
	tb.Helper()
	s, err := New(Config{Secrets: [][]byte{[]byte("a secret that only the tests know")}, Logger: slog.New(slog.DiscardHandler)}, &yes{})
	if err != nil {
		tb.Fatal(err)
	}
	f := newFastPath(s, "192.0.2.1:1")
	f.conn = &conn{Conn: nowhere{}, server: s}
	votes := make([][]byte, 64)
	for i := range votes {
		votes[i] = []byte(aVote(`{"choices":["1"]}`, "Host: vote.example", "Authorization: Bearer "+newVoterToken(s.tokens, time.Now()),
			"Idempotency-Key: "+oponn.NewVoteID().String(), "Content-Type: application/json"))
	}
	n := 0
	return func() {
		n++
		if !cast(f, votes[n%len(votes)]) || f.answer.status != http.StatusCreated {
			tb.Fatal(f.answer.status)
		}
	}
}

// BenchmarkFastPath is a vote through everything but the system and the actors.
func BenchmarkFastPath(b *testing.B) {
	vote := fastVotes(b)
	b.ReportAllocs()
	for b.Loop() {
		vote()
	}
}

// BenchmarkPending is that for a vote that is answered later.
func BenchmarkPending(b *testing.B) {
	vote := laterVotes(b)
	b.ReportAllocs()
	for b.Loop() {
		vote()
	}
}
