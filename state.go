package oponn

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// State is what everyone may see move: status, times and tally. It is sealed
// as one value into the head, bound to the head's version, so that no old
// tally can be replayed as a new one. Its JSON form is the stored format.
type State struct {
	Status Status `json:"status"`
	// OpensAt and ClosesAt are the plan; zero for none.
	OpensAt  time.Time `json:"opens_at,omitzero"`
	ClosesAt time.Time `json:"closes_at,omitzero"`
	// ClosedAt is when it did close, by the store's clock.
	ClosedAt time.Time `json:"closed_at,omitzero"`
	// Voters is how many have voted.
	Voters uint64 `json:"voters"`
	// Counts is the tally: first of the options that the owner gave, then of
	// the write-ins by their numbers.
	Counts []uint64 `json:"counts"`
	// Definition is the revision of the ballot's definition that this is about.
	Definition uint32 `json:"definition,omitempty"`
	// Marks has one character for each write-in that the owner has hidden or
	// approved, and those before it.
	Marks string `json:"marks,omitempty"`
}

// FirstState returns the state a ballot begins with. The window must have
// come from Draft.Check.
func FirstState(d Definition, w Window) State {
	s := State{Status: Open, OpensAt: w.OpensAt, ClosesAt: w.ClosesAt, Counts: make([]uint64, len(d.Labels))}
	if !w.OpensAt.IsZero() {
		s.Status = Scheduled
	}
	return s
}

// Advance moves the status on as far as the time demands and says whether it
// moved. It changes s.
func (s *State) Advance(now time.Time) bool {
	before := s.Status
	if s.Status == Scheduled && !now.Before(s.OpensAt) {
		s.Status = Open
	}
	if s.Status == Open && !s.ClosesAt.IsZero() && !now.Before(s.ClosesAt) {
		s.Status, s.ClosedAt = Closed, microseconds(now)
	}
	return s.Status != before
}

// Due returns when Advance will have something to do; zero for never.
func (s State) Due() time.Time {
	switch s.Status {
	case Scheduled:
		return s.OpensAt
	case Open:
		return s.ClosesAt
	default:
		return time.Time{}
	}
}

// admits returns nil when votes are taken, else CodeNotOpen or CodeClosed.
func (s State) admits() error {
	switch s.Status {
	case Scheduled:
		return Errorf(CodeNotOpen, "This ballot is not open yet.")
	case Closed:
		return Errorf(CodeClosed, "This ballot is closed.")
	default:
		return nil
	}
}

// Seal returns the state sealed for the given version of its head.
func (s State) Seal(key Key, version uint64) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, Internal(fmt.Errorf("encode state: %w", err))
	}
	return key.Seal(nil, plain, FieldState, bindVersion(version)), nil
}

// OpenState opens the state in a head. Errors are CodeInternal: it was
// damaged, forged, or belongs to another version.
func OpenState(key Key, head Head) (State, error) {
	plain, err := key.Open(nil, head.Sealed, FieldState, bindVersion(head.Version))
	if err != nil {
		return State{}, fmt.Errorf("open state of version %d: %w", head.Version, err)
	}
	var s State
	if err := json.Unmarshal(plain, &s); err != nil {
		return State{}, Internal(fmt.Errorf("decode state: %w", err))
	}
	return s, nil
}

func bindVersion(version uint64) []byte { return binary.BigEndian.AppendUint64(nil, version) }
