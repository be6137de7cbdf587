package actors

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/oponn/oponn"
)

// request is one question to a ballot and the way its answer goes back. It is
// answered once; the channel is buffered, so that nobody waits for the asker.
type request[T any] struct {
	ballot   oponn.BallotID
	deadline time.Time
	answers  chan answer[T]
	admitted admitted
	answered atomic.Bool
}

type answer[T any] struct {
	value T
	err   error
}

// asked is what every request to a ballot can do.
type asked interface {
	to() oponn.BallotID
	refuse(err error)
}

func (r *request[T]) to() oponn.BallotID { return r.ballot }

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
	r.answers <- answer[T]{value, err}
}

// wait returns the answer, or the given error when the context ends first.
func (r *request[T]) wait(ctx context.Context, late *oponn.Error) (T, error) {
	select {
	case a := <-r.answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, late
	}
}

// newRequest admits a request to a ballot, or refuses it with CodeBusy or
// CodeDraining.
func newRequest[T any](ctx context.Context, s *System, ballot oponn.BallotID) (*request[T], error) {
	ticket, err := s.admission.enter(ballot)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	return &request[T]{ballot: ballot, deadline: deadline, answers: make(chan answer[T], 1), admitted: ticket}, nil
}

// errBusy says that nothing was tried.
func errBusy(message string) *oponn.Error {
	return oponn.Retryable(oponn.CodeBusy, time.Second, nil, message)
}

func errLate() *oponn.Error {
	return oponn.Retryable(oponn.CodeBusy, time.Second, nil, "This took too long. Please try again.")
}

func errUnknown(cause error) *oponn.Error {
	return oponn.Retryable(oponn.CodeOutcomeUnknown, time.Second, cause,
		"We could not find out in time whether your vote was counted. Send it again: it counts once.")
}

func errDraining() *oponn.Error {
	return oponn.Retryable(oponn.CodeDraining, time.Second, nil, "This server is about to stop. Please try again.")
}
