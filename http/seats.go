package http

import "sync"

// seats counts the open streams: so many in all, and for each address.
type seats struct {
	most, mostEach int

	mu    sync.Mutex
	taken int
	by    map[string]int
}

func newSeats(most, mostEach int) *seats {
	return &seats{most: most, mostEach: mostEach, by: make(map[string]int)}
}

// take gives the address a seat, to be left once, if there is one for it.
func (s *seats) take(address string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.most || s.by[address] >= s.mostEach {
		return nil, false
	}
	s.taken++
	s.by[address]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.by[address]--; s.by[address] == 0 {
			delete(s.by, address)
		}
	}, true
}
