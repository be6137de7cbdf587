package postgres

import (
	"context"
	"strings"
	"time"
)

// CommitPatience sets how long to wait for the answer to a COMMIT.
func CommitPatience(d time.Duration) Option { return func(o *options) { o.commitPatience = d } }

// Setting reads a setting of a connection that writes.
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = use(ctx, s.writers, func(c *connection) error {
		value, err = c.text(ctx, "show "+name)
		return err
	})
	return value, err
}

// PlanOfLookUp returns how the earlier votes of voters are looked up, on a
// connection that writes or on one without its settings.
func (s *Store) PlanOfLookUp(ctx context.Context, writer bool, ballot, tag string) (plan string, err error) {
	return s.plan(ctx, writer, selectEarlier, "array['"+ballot+"']::uuid[], array['"+tag+"']::uuid[]")
}

// PlanOfLock returns how heads are locked.
func (s *Store) PlanOfLock(ctx context.Context, ballot string) (plan string, err error) {
	return s.plan(ctx, true, lockHeads, "array['"+ballot+"']::uuid[]")
}

// PlanOfPage returns how a log is read by its key.
func (s *Store) PlanOfPage(ctx context.Context, ballot, tag string) (plan string, err error) {
	return s.plan(ctx, false, selectByTag, "'"+ballot+"', '"+tag+"', 1")
}

// PlanOfUpdate returns how heads are updated.
func (s *Store) PlanOfUpdate(ctx context.Context) (plan string, err error) {
	return s.plan(ctx, true, updateHeads, "'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'")
}

func (s *Store) plan(ctx context.Context, writer bool, q query, args string) (plan string, err error) {
	pool := s.readers
	if writer {
		pool = s.writers
	}
	err = use(ctx, pool, func(c *connection) error {
		if _, err := c.text(ctx, "set plan_cache_mode = force_generic_plan"); err != nil {
			return err
		}
		plan, err = c.text(ctx, "explain (analyze, buffers, costs off, timing off) execute "+q.name()+"("+args+")")
		return err
	})
	return plan, err
}

// text runs a statement and returns the first column of its rows as lines.
func (c *connection) text(ctx context.Context, sql string) (string, error) {
	results, err := c.Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", err
	}
	var lines []string
	for _, row := range results[0].Rows {
		lines = append(lines, string(row[0]))
	}
	return strings.Join(lines, "\n"), nil
}
