package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn"
)

// What instances tell of themselves is kept in Redis: a key for each that goes
// by itself, and a set of their names. The names of both have a tag, so that in
// a cluster they are on one node. Releases that don't know of it don't look.
const (
	// presenceLasts is how long the word of an instance counts, rosterLasts how
	// long the set of names stays when nobody tells any more.
	presenceLasts = 15 * time.Second
	rosterLasts   = time.Hour
	// maxPresent bounds the instances that are listed.
	maxPresent = 256
)

var _ oponn.Roster = (*Redis)(nil)

// presence is a word on the wire: JSON, to which later releases may add.
type presence struct {
	Version string    `json:"version"`
	Status  string    `json:"status"`
	Started time.Time `json:"started"`
	Votes   float64   `json:"votes"`
	Awake   int       `json:"awake"`
	Streams int       `json:"streams"`
	Heard   time.Time `json:"heard"`
}

func (r *Redis) rosterKey(name string) string { return r.cfg.namespace + ":1:{instances}:" + name }

// rosterNames is the key of the set: no instance has an empty name.
func (r *Redis) rosterNames() string { return r.rosterKey("") }

// Tell implements oponn.Roster.
func (r *Redis) Tell(ctx context.Context, word oponn.Presence) error {
	client, err := r.rosterClient()
	if err != nil {
		return err
	}
	text, err := json.Marshal(presence{Version: word.Version, Status: word.Status, Started: word.Started,
		Votes: word.Votes, Awake: word.Awake, Streams: word.Streams, Heard: word.Heard})
	if err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	_, err = client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, r.rosterKey(word.Name), text, presenceLasts)
		p.SAdd(ctx, r.rosterNames(), word.Name)
		p.Expire(ctx, r.rosterNames(), rosterLasts)
		return nil
	})
	if err != nil {
		return fmt.Errorf("roster: tell: %w", err)
	}
	return nil
}

// Present implements oponn.Roster. It forgets the names of those who have not
// told for long.
func (r *Redis) Present(ctx context.Context) ([]oponn.Presence, error) {
	client, err := r.rosterClient()
	if err != nil {
		return nil, err
	}
	names, err := client.SMembers(ctx, r.rosterNames()).Result()
	if err != nil {
		return nil, fmt.Errorf("roster: names: %w", err)
	}
	slices.Sort(names)
	names = names[:min(len(names), maxPresent)]
	if len(names) == 0 {
		return nil, nil
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = r.rosterKey(name)
	}
	words, err := client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("roster: words: %w", err)
	}
	var present []oponn.Presence
	var gone []any
	for i, word := range words {
		text, told := word.(string)
		if !told {
			gone = append(gone, names[i])
			continue
		}
		var p presence
		if json.Unmarshal([]byte(text), &p) != nil {
			continue // of a release that says it differently
		}
		present = append(present, oponn.Presence{Name: names[i], Version: p.Version, Status: p.Status, Started: p.Started,
			Votes: p.Votes, Awake: p.Awake, Streams: p.Streams, Heard: p.Heard})
	}
	if len(gone) > 0 {
		// Best effort: the next one who looks tries again, and whoever tells at
		// this moment is back with the next word.
		_ = client.SRem(ctx, r.rosterNames(), gone...).Err()
	}
	return present, nil
}

func (r *Redis) rosterClient() (redis.UniversalClient, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case r.closed:
		return nil, errClosed
	case r.client == nil:
		return nil, fmt.Errorf("roster: %w", r.health.check())
	}
	return r.client, nil
}
