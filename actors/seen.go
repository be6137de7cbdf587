package actors

import (
	"time"

	"github.com/oponn/oponn"
)

// Messages about how old votes are.
type (
	// arrived are votes that were committed here, and are to be shown: when
	// they came, since the system began.
	arrived struct {
		votes     []time.Duration
		committed time.Time
	}
	// aged is word of how old a vote of a version was that another instance
	// committed, at the time of at.
	aged struct {
		ballot  oponn.BallotID
		version uint64
		age     time.Duration
		at      time.Time
	}
)

// maxUnseen is the most votes of one ballot that are followed to the screens at
// a time.
const maxUnseen = 1 << 16

// seen follows votes to the screens of an audience.
type seen struct {
	waiting []*arrived
	votes   int // in waiting
	remote  *aged

	version, before uint64 // shown last, and before that
	at              time.Time
}

// arrived notes votes that are to be shown.
func (s *seen) arrived(m *arrived) {
	if s.votes+len(m.votes) > maxUnseen {
		return
	}
	s.waiting = append(s.waiting, m)
	s.votes += len(m.votes)
}

// shown says that all viewers were shown a version between begin and end, which
// was news to some of them, or not.
func (s *seen) shown(meters *screenMeters, version uint64, news bool, begin, end time.Time) {
	if news {
		meters.write.Observe(end.Sub(begin).Seconds())
		for _, m := range s.waiting {
			meters.publish.Observe(begin.Sub(m.committed).Seconds())
			for _, came := range m.votes {
				meters.local.Observe((end.Sub(meters.begun) - came).Seconds())
			}
		}
		if version > s.version {
			s.before, s.version, s.at = s.version, version, end
		}
	}
	clear(s.waiting)
	s.waiting, s.votes = s.waiting[:0], 0
	if m := s.remote; m != nil && m.version <= version {
		s.remote = nil
		if news {
			s.aged(meters, m)
		}
	}
}

// forget forgets what nobody is there to be shown.
func (s *seen) forget() { *s = seen{} }

// aged measures how long a vote of another instance took. It may have been
// shown before we hear how old it is.
func (s *seen) aged(meters *screenMeters, m *aged) {
	switch {
	case m.version > s.version:
		s.remote = m
	case m.version > s.before:
		meters.remote.Observe(max(m.age+s.at.Sub(m.at), 0).Seconds())
	}
}
