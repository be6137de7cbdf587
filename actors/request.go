package actors

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/oponn/oponn"
)

// request is one question to a ballot and the way its answer goes back. It is
// answered once; nobody waits for the asker.
type request[T any] struct {
	ballot   oponn.BallotID
	begun    time.Time // when it was let in
	deadline time.Time
	admitted admitted
	answered atomic.Bool
	told     atomic.Bool   // the answer, or that there is none in time
	done     chan struct{} // holds one: value and err are there
	then     func()        // is called instead, when it is set
	value    T
	err      error
	// origin is the id of the HTTP request that asks; empty for none.
	origin string
	// turn is among the patience of system, unless there is an asker whose
	// context ends the wait.
	turn   turn
	system *System
	// late makes the error of a request that gets no answer in time.
	late func() *oponn.Error
}

// asked is what every request to a ballot can do.
type asked interface {
	to() oponn.BallotID
	from() string
	refuse(err error)
}

func (r *request[T]) to() oponn.BallotID { return r.ballot }

// from returns by what id the log knows who asks.
func (r *request[T]) from() string { return r.origin }

func (r *request[T]) expired(now time.Time) bool { return now.After(r.deadline) }

// refuse answers with an error.
func (r *request[T]) refuse(err error) {
	var none T
	r.answer(none, err)
}

// answer answers, the first time it is called.
func (r *request[T]) answer(value T, err error) {
	if r.answered.Swap(true) {
		return
	}
	r.admitted.release()
	if r.turn.expire != nil {
		r.system.patience.leave(&r.turn)
	}
	r.tell(value, err)
}

// tell ends the asker's wait, the first time it is called.
func (r *request[T]) tell(value T, err error) {
	if !r.told.Swap(true) {
		if r.value, r.err = value, err; r.then != nil {
			r.then()
			return
		}
		r.done <- struct{}{}
	}
}

// admit lets a request to a ballot in, which writes or only reads, or refuses
// it with CodeBusy or CodeDraining. late makes the error for wait, or for then.
func (r *request[T]) admit(ctx context.Context, s *System, ballot oponn.BallotID, writes bool, late func() *oponn.Error) (err error) {
	if r.admitted, err = s.admission.enter(ballot, writes); err != nil {
		return err
	}
	r.system, r.ballot, r.late, r.origin = s, ballot, late, oponn.RequestID(ctx)
	if r.begun = time.Now(); r.then == nil {
		r.done = make(chan struct{}, 1)
	}
	r.deadline = r.begun.Add(s.cfg.Deadline)
	if end, ok := ctx.Deadline(); ok && end.Before(r.deadline) {
		r.deadline = end
	}
	if ctx.Done() == nil || r.then != nil {
		r.turn.deadline, r.turn.expire = r.deadline, func() {
			var none T
			r.tell(none, r.late())
		}
		s.patience.wait(&r.turn)
	}
	return nil
}

// wait returns the answer, or the error that late makes when the deadline or
// the end of the context comes first.
func (r *request[T]) wait(ctx context.Context) (T, error) {
	if ctx.Done() == nil {
		<-r.done
		return r.value, r.err
	}
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, r.late()
	}
}

// post sends a request that was admitted on its way: to the ballot itself when
// it is awake, else to the registry.
func (s *System) post(ticket admitted, message any) {
	if ticket.to != nil {
		ticket.to.PostUserMessage(message)
		return
	}
	s.root.Send(s.registry, message)
}

// errBusy says that nothing was tried.
func errBusy(message string) *oponn.Error {
	return oponn.Retryable(oponn.CodeBusy, time.Second, nil, message)
}

// errTurnedAway says so, and when there is likely to be room.
func errTurnedAway(wait time.Duration) *oponn.Error {
	return oponn.Retryable(oponn.CodeBusy, wait, nil, "Too many are voting at this moment. Please try again in a moment.")
}

func errLate() *oponn.Error {
	return oponn.Retryable(oponn.CodeBusy, time.Second, nil, "This took too long. Please try again.")
}

func errUntold() *oponn.Error { return errUnknown(nil) }

func errUnknown(cause error) *oponn.Error {
	return oponn.Retryable(oponn.CodeOutcomeUnknown, time.Second, cause,
		"We could not find out in time whether your vote was counted. Send it again: it counts once.")
}

func errDraining() *oponn.Error {
	return oponn.Retryable(oponn.CodeDraining, time.Second, nil, "This server is about to stop. Please try again.")
}
