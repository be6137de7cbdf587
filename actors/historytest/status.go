package historytest

import "time"

// lateAt is how long after it was sent a turn whose answer is unknown may still
// happen.
const lateAt = time.Minute

// status wants votes taken while the ballot may have been open, and refused as
// too late while it may have been closed. Its owner turns it, once at a time.
func (c *check) status(attempts []attempt, turns []turn) {
	for _, a := range attempts {
		v := c.votes[a.vote.ID]
		switch {
		case a.answer.Fate == Accepted && a.answered == v.accepted && !was(true, span{v.sent, a.answered}, turns):
			c.report("vote %s was taken while the ballot was closed", a.vote.ID)
		case a.answer.Code == "closed" && !was(false, a.span, turns):
			c.report("vote %s was refused as too late while the ballot was open", a.vote.ID)
		}
	}
}

// was says whether a ballot may have been open, or closed, at some moment. It
// begins open.
func was(open bool, when span, turns []turn) bool {
	before, since := true, time.Duration(-1)
	for _, t := range turns {
		done := t.answered
		switch t.fate {
		case Unknown:
			done = t.sent + lateAt
		case Accepted:
			if t.answered <= when.sent && t.answered > since {
				before, since = t.open, t.answered
			}
		case Refused, Failed:
			continue
		}
		if t.open == open && t.sent <= when.answered && done >= when.sent {
			return true
		}
	}
	return before == open
}
