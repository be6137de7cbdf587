package main

import (
	"github.com/oponn/oponn"
	"github.com/oponn/oponn/http/limit"
)

// limiter returns what makes the keepers of budgets: those that instances share
// are in the Redis of their bus. It is nil where there is none.
func limiter(notices oponn.Bus, secret []byte) (func(limit.Budget) limit.Limiter, error) {
	scripts, shared := notices.(limit.Scripts)
	if !shared {
		return nil, nil
	}
	sharer, err := limit.NewSharer(scripts, namespace, secret)
	if err != nil {
		return nil, err
	}
	return sharer.Limiter, nil
}

// namespace begins all names in Redis, as those of the bus.
const namespace = "oponn"
