package voters

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/wire"
)

// vote is a vote from its beginning to its end.
type vote struct {
	ballot, option int
	// who is the voter: a token, or a cookie.
	who string
	id  [36]byte
	due int64
	// page is how long the page took that was got before.
	page  time.Duration
	tries int
	// maybe says that it may have been counted without an acknowledgement.
	maybe bool
}

// voter is one connection. It makes nothing anew for a vote.
type voter struct {
	load     *Load
	conn     wire.Conn
	chance   *rand.Rand
	samples  samples
	vote     vote
	request  wire.Request
	response wire.Response
	// begun is when the vote was last sent.
	begun int64
	who   []byte
	body  []byte
	// bodies and paths are made once for each option of each ballot.
	bodies [][][]byte
	paths  []string
	pages  []string
}

func newVoter(l *Load, i int, conn wire.Conn) *voter {
	seed := l.config.Seed
	if seed == 0 {
		seed = rand.Uint64() //nolint:gosec // chance is all it has to be
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(i)+1)
	v := &voter{load: l, conn: conn, chance: rand.New(rand.NewChaCha8(key)), samples: newSamples(l.config.Connections)} //nolint:gosec // the same
	v.bodies, v.paths, v.pages = l.notes.requests.bodies, l.notes.requests.paths, l.notes.requests.pages
	v.request.Method = http.MethodPost
	if l.config.Form {
		v.request.Fields = []wire.Field{{Name: "Cookie"}, {Name: "Content-Type", Value: []byte("application/x-www-form-urlencoded")}}
		return v
	}
	v.who = append(v.who, "Bearer "...)
	v.request.Fields = []wire.Field{{Name: "Authorization"}, {Name: "Idempotency-Key"}, {Name: "Content-Type", Value: []byte("application/json")}}
	return v
}

// done hands in what only this voter knows.
func (v *voter) done() { v.load.notes.handIn(&v.samples) }

// requests are the parts of requests that are always the same.
type requests struct {
	bodies       [][][]byte // by ballot and option
	paths, pages []string
}

func newRequests(c *Config) requests {
	var r requests
	for _, b := range c.Ballots {
		var bodies [][]byte
		for _, option := range b.Options {
			if c.Form {
				bodies = append(bodies, []byte("choice="+option+"&vote_id="))
			} else {
				bodies = append(bodies, []byte(`{"choices":["`+option+`"]}`))
			}
		}
		r.bodies = append(r.bodies, bodies)
		path := "/ballots/" + b.ID
		r.pages = append(r.pages, path)
		if !c.Form {
			path = "/api/v1" + path
		}
		r.paths = append(r.paths, path+"/votes")
	}
	return r
}

// prepare makes a fresh vote, with a voter who has not voted yet.
func (v *voter) prepare(ctx context.Context) bool {
	v.choose()
	if v.load.config.Form {
		return v.visit(ctx)
	}
	return v.named(v.load.config.Tokens.Token(ctx))
}

// choose makes a fresh vote on some ballot for some option, due as before.
func (v *voter) choose() {
	c := &v.load.config
	fresh := vote{due: v.vote.due}
	switch n := len(c.Ballots); {
	case n > 1 && c.HotShare == 0:
		fresh.ballot = v.chance.IntN(n)
	case n > 1 && v.chance.Float64() >= c.HotShare:
		fresh.ballot = 1 + v.chance.IntN(n-1)
	}
	fresh.option = v.chance.IntN(len(c.Ballots[fresh.ballot].Options))
	v.vote = fresh
}

// named makes the vote that of a voter with a token, if there is one.
func (v *voter) named(who string, err error) bool {
	if err != nil {
		v.load.notes.refuse("no voter token", 0)
		v.load.notes.giveUp(&v.vote)
		return false
	}
	v.vote.who = who
	v.newID()
	if c := &v.load.config; c.Rate == 0 {
		v.vote.due = c.Now() // waiting for a token is no wait for the server
	}
	return true
}

// newID makes a random UUID (RFC 9562, version 4).
func (v *voter) newID() {
	var id [16]byte
	binary.LittleEndian.PutUint64(id[:8], v.chance.Uint64())
	binary.LittleEndian.PutUint64(id[8:], v.chance.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := &v.vote.id
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
}

// visit gets the page as a browser does that comes for the first time: with it
// come the voter's cookie and the vote's id.
func (v *voter) visit(ctx context.Context) bool {
	c := &v.load.config
	page := wire.Request{Method: http.MethodGet, Path: v.pages[v.vote.ballot], Fields: []wire.Field{{Name: "Accept", Value: []byte("text/html")}}}
	for try := 1; ; try++ {
		begin := c.Now()
		err := v.conn.Exchange(&page, &v.response)
		end := c.Now()
		switch id, ok := between(v.response.Body, `name="vote_id" value="`); {
		case err != nil:
			v.load.notes.refuse(failure(ctx, err), 0)
		case v.response.Status == 200 && ok && len(id) == len(v.vote.id) && len(v.response.Cookie) > 0:
			copy(v.vote.id[:], id)
			v.vote.who = string(v.response.Cookie)
			v.vote.page = time.Duration(end - begin)
			v.load.notes.visited(v.vote.page)
			if c.Rate == 0 {
				v.vote.due = end
				v.vote.page = 0
			}
			return true
		default:
			v.load.notes.refuse("page "+v.reason(), time.Duration(end-begin))
		}
		if try >= c.Tries || !pause(ctx, v.backoff(try, v.response.RetryAfter)) {
			v.load.notes.giveUp(&v.vote)
			return false
		}
	}
}

// seeThrough sends a vote as often as it takes.
func (v *voter) seeThrough(ctx context.Context) {
	for {
		wait, again := v.attempt(ctx)
		if !again {
			return
		}
		if !pause(ctx, wait) {
			v.load.notes.giveUp(&v.vote)
			return
		}
	}
}

// attempt sends the vote once. It says whether to send it again, and when.
func (v *voter) attempt(ctx context.Context) (wait time.Duration, again bool) {
	v.begin()
	return v.end(ctx, v.conn.Exchange(&v.request, &v.response))
}

// begin is an attempt until the request can be sent.
func (v *voter) begin() {
	v.fill()
	v.vote.tries++
	v.begun = v.load.config.Now()
}

// end is an attempt from when its exchange is over.
func (v *voter) end(ctx context.Context, err error) (wait time.Duration, again bool) {
	c, notes := &v.load.config, v.load.notes
	end := c.Now()
	if err == nil {
		if version, ok := v.acknowledged(); ok {
			notes.acknowledge(&v.vote, version, end, time.Duration(end-v.vote.due)-v.vote.page)
			v.samples.add(sample{Ballot: int32(v.vote.ballot), Version: version, Sent: v.vote.due + int64(v.vote.page)})
			v.repeat(version)
			return 0, false
		}
		v.vote.maybe = v.vote.maybe || v.unclear()
		notes.refuse(v.reason(), time.Duration(end-v.begun))
	} else {
		v.response = wire.Response{}
		v.vote.maybe = v.vote.maybe || !wire.Unsent(err)
		notes.refuse(failure(ctx, err), time.Duration(end-v.begun))
	}
	retryable := err != nil || v.response.Status == 503 || v.response.Status == 429 || v.response.Status == 502 || v.response.Status == 504
	wait = v.backoff(v.vote.tries, v.response.RetryAfter)
	if !retryable || v.vote.tries >= c.Tries || ctx.Err() != nil ||
		end+int64(wait) > v.vote.due+int64(c.Deadline) {
		notes.giveUp(&v.vote)
		return 0, false
	}
	return wait, true
}

// fill puts the vote into the request.
func (v *voter) fill() {
	b := v.vote.ballot
	v.request.Path = v.paths[b]
	if v.load.config.Form {
		v.who = append(v.who[:0], v.vote.who...)
		v.body = append(append(v.body[:0], v.bodies[b][v.vote.option]...), v.vote.id[:]...)
		v.request.Fields[0].Value, v.request.Body = v.who, v.body
		return
	}
	v.who = append(v.who[:len("Bearer ")], v.vote.who...)
	v.request.Fields[0].Value, v.request.Fields[1].Value = v.who, v.vote.id[:]
	v.request.Body = v.bodies[b][v.vote.option]
}

// repeat sends an acknowledged vote once more, as a client does that didn't
// hear the answer. It has to get the same one.
func (v *voter) repeat(version uint64) {
	share := v.load.config.Repeats
	if share == 0 || v.chance.Float64() >= share {
		return
	}
	if err := v.conn.Exchange(&v.request, &v.response); err != nil {
		return
	}
	again, ok := v.acknowledged()
	if refused := v.response.Status == 503 || v.response.Status == 429; !refused {
		v.load.notes.repeated(ok && (again == version || v.load.config.Form))
	}
}

// acknowledged returns the version that holds the vote, if the answer says that
// it was counted.
func (v *voter) acknowledged() (version uint64, ok bool) {
	r := &v.response
	if v.load.config.Form {
		after, found := bytes.CutPrefix(tail(r.Location, "after="), []byte("after="))
		if r.Status != 303 || !found || bytes.Contains(r.Location, []byte("notice=")) {
			return 0, false
		}
		return leadingNumber(after), true
	}
	if r.Status != 201 && r.Status != 200 {
		return 0, false
	}
	return leadingNumber(bytes.TrimPrefix(tail(r.Body, `"version":`), []byte(`"version":`))), true
}

// unclear says whether an answer that is no acknowledgement leaves it open
// whether the vote was counted.
func (v *voter) unclear() bool {
	if v.response.Status < 500 {
		return false
	}
	code, _ := between(v.response.Body, `"code":"`)
	switch string(code) {
	case "busy", "draining", "keys_unavailable":
		return false
	default:
		return true
	}
}

// reason names a refusal by its status and code.
func (v *voter) reason() string {
	status := strconv.Itoa(v.response.Status)
	if code, ok := between(v.response.Body, `"code":"`); ok && len(code) < 40 {
		return status + " " + string(code)
	}
	if notice, ok := bytes.CutPrefix(tail(v.response.Location, "notice="), []byte("notice=")); ok && len(notice) < 40 {
		return status + " " + string(notice)
	}
	return status
}

// leastBackoff is the first pause of a client that was told nothing.
const leastBackoff = 50 * time.Millisecond

// backoff returns when to send again: what the server said, or twice as long
// each time, and up to half of it more by chance.
func (v *voter) backoff(tries int, said time.Duration) time.Duration {
	wait := said
	if wait == 0 {
		wait = leastBackoff << min(tries-1, 8)
	}
	return wait + time.Duration(v.chance.Int64N(int64(wait)/2+1))
}

// failure names an error of a connection in a word or two: there must not be
// as many names as errors.
func failure(ctx context.Context, err error) string {
	switch {
	case ctx.Err() != nil:
		return "the test was ended"
	case wire.Unsent(err):
		return "no connection"
	case wire.TimedOut(err):
		return "no answer in time"
	default:
		return "broken connection"
	}
}

// tail returns the text from the first occurrence of a mark on.
func tail(b []byte, mark string) []byte {
	at := bytes.Index(b, []byte(mark))
	if at < 0 {
		return nil
	}
	return b[at:]
}

// between returns what is between a mark and the next quote.
func between(b []byte, mark string) ([]byte, bool) {
	rest := tail(b, mark)
	if rest == nil {
		return nil, false
	}
	rest = rest[len(mark):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil, false
	}
	return rest[:end], true
}

func leadingNumber(b []byte) (n uint64) {
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}
