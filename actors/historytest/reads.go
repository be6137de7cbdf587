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

// fold is the tally of all rows up to a version.
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
	now := fold{}
	for i, row := range c.log.Rows {
		now.version, now.voters = row.Version, now.voters+1
		if v := c.votes[row.ID]; v != nil && v.unsure {
			now.unsure++
		} else if v != nil {
			now.counts = slices.Clone(now.counts)
			for len(now.counts) <= v.Choice {
				now.counts = append(now.counts, 0)
			}
			now.counts[v.Choice]++
		}
		if i+1 == len(c.log.Rows) || c.log.Rows[i+1].Version != row.Version {
			all = append(all, now)
		}
	}
	return all
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
