package http

import "sync"

// seats counts the open streams: so many in all, and for each address.
type seats struct {
	most, mostEach int

	mu    sync.Mutex
	taken int
	by    map[string]*seat
}

// seat is what an address has taken.
type seat struct {
	of      *seats
	address string
	taken   int
}

func newSeats(most, mostEach int) *seats {
	return &seats{most: most, mostEach: mostEach, by: make(map[string]*seat)}
}

// take gives the address a seat, to be left once, if there is one for it.
func (s *seats) take(address string) (*seat, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.by[address]
	if s.taken >= s.most || at != nil && at.taken >= s.mostEach {
		return nil, false
	}
	if at == nil {
		at = &seat{of: s, address: address}
		s.by[address] = at
	}
	s.taken++
	at.taken++
	return at, true
}

// leave gives one seat back.
func (s *seat) leave() {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.of.taken--
	if s.taken--; s.taken == 0 {
		delete(s.of.by, s.address)
	}
}
