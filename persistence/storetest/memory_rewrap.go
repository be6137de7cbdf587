package storetest

import (
	"context"

	"github.com/oponn/oponn"
)

// Rewrap replaces a ballot's wrapped key.
func (m *Memory) Rewrap(ctx context.Context, ballot oponn.BallotID, from, to oponn.WrappedKey) error {
	done, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	k, err := m.disk.find(ballot)
	switch {
	case err != nil:
		return err
	case k.record.Key.Equal(to):
		return nil
	case !k.record.Key.Equal(from):
		return errKeyMoved()
	}
	record := k.record
	record.Key = to
	k.record = copyRecord(record)
	return nil
}

func errKeyMoved() error {
	return oponn.Retryable(oponn.CodeBusy, 0, nil, "The ballot's key was wrapped anew meanwhile.")
}
