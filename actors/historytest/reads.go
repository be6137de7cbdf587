package historytest

import (
	"slices"
	"sort"
)

// reads wants every read to be the fold of a prefix, to rise, and to hold what
// its client had seen.
func (c *check) reads(reads []Read) {
	seen := map[string]uint64{}
	folds := c.folds()
	for _, r := range reads {
		switch {
		case r.Version > c.log.Head:
			c.report("%s was shown version %d, the head has %d", r.Client, r.Version, c.log.Head)
		case r.Version < r.Presented:
			c.report("%s had seen version %d and was shown %d", r.Client, r.Presented, r.Version)
		case r.Version < seen[r.Client]:
			c.report("fell: %s was shown version %d after %d", r.Client, r.Version, seen[r.Client])
		case r.Counts != nil:
			if at := folds.at(r.Version); r.Voters != at.voters || !at.gives(r.Counts) {
				c.report("%s was shown %d voters and %v at version %d; the log has %d and %v", r.Client, r.Voters, r.Counts, r.Version, at.voters, at.counts)
			}
		}
		seen[r.Client] = max(seen[r.Client], r.Version)
	}
}

// fold is the tally of all rows up to a version: of each voter the latest.
type fold struct {
	version, voters uint64
	counts          []uint64
	// unsure is how many more votes there are whose choice is not known: they
	// were sent with more than one, and nobody was told which counts.
	unsure uint64
}

// folds are those of all versions with rows, in their order.
type folds []fold

func (c *check) folds() (all folds) {
	now, latest := fold{}, map[string]*voteOf{}
	for i, row := range c.log.Rows {
		now.version = row.Version
		now.take(c.votes[row.ID], latest)
		if i+1 == len(c.log.Rows) || c.log.Rows[i+1].Version != row.Version {
			all = append(all, now)
		}
	}
	return all
}

// take counts a vote in the place of its voter's latest; nil is one that nobody
// cast.
func (f *fold) take(v *voteOf, latest map[string]*voteOf) {
	if v == nil {
		f.voters++
		return
	}
	f.counts = slices.Clone(f.counts)
	if former := latest[v.Voter]; former != nil {
		*f.place(former)--
	} else {
		f.voters++
	}
	*f.place(v)++
	latest[v.Voter] = v
}

// place is where a vote is counted.
func (f *fold) place(v *voteOf) *uint64 {
	if v.unsure {
		return &f.unsure
	}
	for len(f.counts) <= v.Choice {
		f.counts = append(f.counts, 0)
	}
	return &f.counts[v.Choice]
}

// at returns the tally as of a version.
func (f folds) at(version uint64) fold {
	next := sort.Search(len(f), func(i int) bool { return f[i].version > version })
	if next == 0 {
		return fold{}
	}
	return f[next-1]
}

// gives says whether the counts can be those of the fold. Counts that are
// missing are 0.
func (f fold) gives(counts []uint64) bool {
	left := f.unsure
	for i := range max(len(counts), len(f.counts)) {
		shown, known := count(counts, i), count(f.counts, i)
		if shown < known || shown-known > left {
			return false
		}
		left -= shown - known
	}
	return left == 0
}

func count(counts []uint64, i int) uint64 {
	if i >= len(counts) {
		return 0
	}
	return counts[i]
}
