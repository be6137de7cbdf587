package oponn

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// VotesPage is how many rows VotesByTag returns at most.
const VotesPage = 1000

// VoteLog is where an export finds votes. Every Store is one.
type VoteLog interface {
	// VotesByTag returns the rows of a ballot's log that come next after the
	// one with the given tag and revision, in the order of tags and then of
	// revisions, at most VotesPage of them; from the first one for zeros. It
	// is empty, not an error, behind the last one and for an unknown ballot.
	VotesByTag(ctx context.Context, ballot BallotID, after VoterTag, revision uint32) ([]LoggedVote, error)
}

// MinPeriod is the least number of votes of which an export says together when
// they were cast.
const MinPeriod = 10

// AnonymousVote is a vote as an export has it.
type AnonymousVote struct {
	Choices []OptionID
	// From and Until are the whole hours, in UTC, within which it was cast,
	// with at least MinPeriod-1 others; zero where there are not so many.
	From, Until time.Time
}

// Export is the votes of a ballot as they stood at one version, without a word
// on whose they are: each voter's last, in an order that has nothing to do with
// time. It holds no more of them than a page, whatever their number, and no
// snapshot of the database: voting goes on beside it.
type Export struct {
	Snapshot Snapshot
	log      VoteLog
	periods  []period // by time
}

// NewExport reads through the log to see when votes were cast. Errors are those
// of the log, and CodeBusy when it doesn't hold what the snapshot says, as when
// the ballot is deleted meanwhile.
func NewExport(ctx context.Context, s Snapshot, log VoteLog) (*Export, error) {
	e := &Export{Snapshot: s, log: log}
	hours := make(map[int64]uint64)
	err := e.pages(ctx, func(page []LoggedVote) error {
		for i := range page {
			hours[hour(page[i].At)]++
		}
		return nil
	})
	e.periods = periods(hours)
	return e, err
}

// Each calls do with every vote. They come in the order of their voters' tags,
// which are keyed hashes, and anew shuffled within a page: not even whose vote
// stands beside whose stays the same. Errors are those of NewExport, of do, and
// CodeInternal for a vote that doesn't open.
func (e *Export) Each(ctx context.Context, do func(AnonymousVote) error) error {
	d := &e.Snapshot.Ballot.Definition
	return e.pages(ctx, func(page []LoggedVote) error {
		rand.Shuffle(len(page), func(i, j int) { page[i], page[j] = page[j], page[i] }) //nolint:gosec // ChaCha8, seeded by the system
		for _, row := range page {
			choice, err := e.Snapshot.Ballot.OpenChoice(row)
			if err != nil {
				return err
			}
			vote := AnonymousVote{Choices: choice.options(d)}
			if p, ok := find(e.periods, hour(row.At)); ok {
				vote.From, vote.Until = p.from(), p.until()
			}
			if err := do(vote); err != nil {
				return err
			}
		}
		return nil
	})
}

// pages calls do with each voter's last vote, a page at a time. Rows that came
// after the snapshot are left out, so that what an earlier page has is not
// older than what a later one has.
func (e *Export) pages(ctx context.Context, do func([]LoggedVote) error) error {
	var voters uint64
	var place, last LoggedVote // last is of the voter at hand; without a revision there is none
	for more := true; more; {
		rows, err := e.log.VotesByTag(ctx, e.Snapshot.Ballot.ID, place.Tag, place.Revision)
		if err != nil {
			return err
		}
		page := make([]LoggedVote, 0, len(rows)+1)
		for _, row := range rows {
			if last.Revision > 0 && row.Tag != last.Tag {
				page, last = append(page, last), LoggedVote{}
			}
			if row.Version <= e.Snapshot.Version {
				last = row
			}
			place = row
		}
		if more = len(rows) > 0; !more && last.Revision > 0 {
			page = append(page, last)
		}
		voters += uint64(len(page))
		if err := do(page); err != nil {
			return err
		}
	}
	if voters != e.Snapshot.State.Voters {
		return Retryable(CodeBusy, time.Second, fmt.Errorf("the log has the votes of %d voters, the result those of %d", voters, e.Snapshot.State.Voters),
			"The votes could not be read as a whole. Please try again.")
	}
	return nil
}

// options returns the ids of all that is chosen, the owner's options first.
func (c *Choice) options(d *Definition) []OptionID {
	ids := make([]OptionID, 0, c.size())
	c.given.each(func(i int) { ids = append(ids, optionID(d.number(i))) })
	_ = c.eachWriteIn(func(option Option) error {
		ids = append(ids, option.ID)
		return nil
	})
	return ids
}

// hour counts the hours since 1970.
func hour(t time.Time) int64 { return t.Unix() / 3600 }

// period is hours that follow each other, both ends in it.
type period struct{ first, last int64 }

func (p period) from() time.Time  { return time.Unix(p.first*3600, 0).UTC() }
func (p period) until() time.Time { return time.Unix((p.last+1)*3600, 0).UTC() }

// periods joins hours into periods of at least MinPeriod votes each; there is
// none when there are not so many votes.
func periods(hours map[int64]uint64) []period {
	all := make([]int64, 0, len(hours))
	for h := range hours {
		all = append(all, h)
	}
	slices.Sort(all)
	var done []period
	var votes uint64
	for i, first := 0, 0; i < len(all); i++ {
		if votes += hours[all[i]]; votes >= MinPeriod {
			done = append(done, period{all[first], all[i]})
			first, votes = i+1, 0
		}
	}
	if votes > 0 && len(done) > 0 { // too few to stand alone
		done[len(done)-1].last = all[len(all)-1]
	}
	return done
}

// find returns the period that an hour is in.
func find(all []period, h int64) (period, bool) {
	i, _ := slices.BinarySearchFunc(all, h, func(p period, h int64) int { return cmp.Compare(p.last, h) })
	if i == len(all) {
		return period{}, false
	}
	return all[i], true
}
