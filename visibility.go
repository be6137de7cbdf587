package oponn

// Onlooker is what matters about somebody who looks at a ballot: it decides
// what they may see. The zero Onlooker is anybody.
type Onlooker struct {
	Owner bool
	Voted bool
	// Projected says of an owner that others look at the screen as well: counts
	// are shown as to the owner, options as to everybody.
	Projected bool
}

// Class returns the onlooker without what doesn't matter on this ballot: those
// of one class see the same, and share the frames of a stream.
func (r *Rules) Class(o Onlooker) Onlooker {
	switch {
	case o.Owner && o.Projected:
		hidden := r.Visibility != VisibleAlways
		return Onlooker{Owner: hidden, Projected: hidden}
	case o.Owner:
		return Onlooker{Owner: r.Visibility != VisibleAlways || r.WriteIns == WriteInsModerated}
	case r.Visibility == VisibleAfterVoting:
		return Onlooker{Voted: o.Voted}
	default:
		return Onlooker{}
	}
}

// ShowsCounts says whether an onlooker may see counts, and with them the
// turnout, as the ballot stands.
func (s Snapshot) ShowsCounts(o Onlooker) bool {
	switch s.Ballot.Definition.Visibility {
	case VisibleAlways:
		return true
	case VisibleAfterVoting:
		return o.Owner || o.Voted
	case VisibleAfterClosing:
		return o.Owner || s.State.Status == Closed
	default: // also a visibility of a later release
		return o.Owner
	}
}

// For returns the options that an onlooker may see, with counts if those are
// for them, else with zeros. Write-ins that wait for approval are the owner's
// alone; of hidden ones others see that they are hidden, and their count.
func (s Snapshot) For(o Onlooker) []Result {
	all, counts, insider := s.Results(), s.ShowsCounts(o), o.Owner && !o.Projected
	shown := all[:0]
	for _, r := range all {
		if !counts {
			r.Votes = 0
		}
		if r.Standing == Hidden && !insider {
			r.Option.Label = ""
		}
		if r.Standing != Pending || insider {
			shown = append(shown, r)
		}
	}
	return shown
}
