package http

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/reactor"
)

// What the handler of a vote returns instead of an answer.
var (
	errPending   = errors.New("the answer comes later")
	errElsewhere = errors.New("this may take time, and belongs elsewhere")
)

// pending is a vote of a connection that the reactor looks after, from its
// request to its answer. The request goes through the handlers as any other;
// where they would wait for the commit, they return, and are taken up again
// when it is known.
type pending struct {
	fast     *fastPath
	told     func(oponn.Casting)
	answered func()

	// What the first half leaves to the second.
	verdict reactor.Verdict
	ctx     context.Context
	request *http.Request
	cast    oponn.Cast
	begin   time.Time
	trace   oponn.Trace
	casting oponn.Casting
}

var _ reactor.Server = (*pending)(nil)

// newPending makes the one of a connection.
func newPending(f *fastPath) *pending {
	p := &pending{fast: f}
	p.told = p.decided
	return p
}

// pendingIn returns the vote that a request is, if it may be answered later.
func pendingIn(c echo.Context) *pending {
	if a, ok := c.Response().Writer.(*answer); ok {
		return a.pending
	}
	return nil
}

// Begin implements reactor.Server.
func (p *pending) Begin(arrived []byte, answered func()) (verdict reactor.Verdict) {
	f := p.fast
	body, ok := f.head.read(arrived)
	if !ok || !f.server.voting.enter() {
		return reactor.Elsewhere
	}
	defer func() {
		if verdict == reactor.Elsewhere { // else Done leaves
			f.server.voting.leave()
		}
	}()
	p.answered, p.verdict = answered, reactor.Answered
	f.handle(body)
	if p.verdict == reactor.Later {
		return p.post()
	}
	return p.verdict
}

// keep notes where a vote stands after its first half; false when it has been
// answered.
func (p *pending) keep(err error, begin time.Time, trace oponn.Trace) bool {
	switch {
	case err == nil:
		return false
	case errors.Is(err, errPending):
		p.verdict, p.begin, p.trace = reactor.Later, begin, trace
		return true
	case errors.Is(err, errElsewhere):
		p.verdict = reactor.Elsewhere
		return true
	}
	return false
}

// post casts the vote. Whatever happens to it then may happen before it
// returns.
func (p *pending) post() reactor.Verdict {
	s := p.fast.server
	c := p.context()
	defer s.echo.ReleaseContext(c)
	err := s.recovering(c, func(echo.Context) error { return s.ballots.CastThen(p.ctx, p.cast, p.told) })
	if err == nil {
		return reactor.Later
	}
	s.answered(c, err, p.begin, p.trace)
	return reactor.Answered
}

// context returns a context for the second half of the request.
func (p *pending) context() echo.Context {
	c := p.fast.server.echo.AcquireContext()
	c.Reset(p.request, &p.fast.answer)
	c.SetPath(routeCast)
	return c
}

// decided is told of the vote's fate.
func (p *pending) decided(casting oponn.Casting) {
	p.casting = casting
	p.answered()
}

// Answer implements reactor.Server.
func (p *pending) Answer() (answer []byte, last bool) {
	s := p.fast.server
	if p.casting != nil {
		c := p.context()
		defer s.echo.ReleaseContext(c)
		err := s.recovering(c, func(c echo.Context) error {
			receipt, err := p.casting.Receipt()
			return s.answerCast(p.ctx, c, p.cast, receipt, err)
		})
		s.answered(c, err, p.begin, p.trace)
		p.casting, p.ctx, p.request, p.trace = nil, nil, nil, nil
	}
	return p.fast.answer.bytes(s.date.at(time.Now()))
}

// Done implements reactor.Server. Whoever shuts the server down waits for it:
// before, the answer may not be on its way.
func (p *pending) Done() { p.fast.server.voting.leave() }
