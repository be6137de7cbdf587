package sqlite

import (
	"fmt"

	"github.com/oponn/oponn"
)

// legal returns an error about an effect that would leave a gap in versions,
// positions or write-ins, or move another ballot: a fault of ours that must
// not reach the log.
func legal(before oponn.Head, effect oponn.Effect) error {
	after := effect.Head
	wrong := func(format string, args ...any) error {
		return oponn.Internal(fmt.Errorf("the effect "+format, args...))
	}
	switch {
	case effect.Tombstone:
		return nil
	case after.Ballot != before.Ballot:
		return wrong("is on ballot %s, the ground on %s", after.Ballot, before.Ballot)
	case after.Version == before.Version && (len(effect.Logged) > 0 || len(effect.Added) > 0):
		return wrong("adds rows without a new version")
	case after.Version != before.Version && after.Version != before.Version+1:
		return wrong("leads from version %d to %d", before.Version, after.Version)
	case after.Position != before.Position+uint64(len(effect.Logged)):
		return wrong("leads from position %d to %d with %d votes", before.Position, after.Position, len(effect.Logged))
	case after.WriteIns != before.WriteIns+len(effect.Added):
		return wrong("leads from write-in %d to %d with %d added", before.WriteIns, after.WriteIns, len(effect.Added))
	}
	for i, vote := range effect.Logged {
		if vote.Position != before.Position+uint64(i)+1 || vote.Version != after.Version {
			return wrong("has a vote at position %d and version %d", vote.Position, vote.Version)
		}
	}
	for i, w := range effect.Added {
		if w.Number != before.WriteIns+i+1 {
			return wrong("adds write-in %d after %d", w.Number, before.WriteIns+i)
		}
	}
	return nil
}
