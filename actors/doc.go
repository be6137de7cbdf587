// Package actors is the runtime of Oponn: every ballot is a supervised actor
// that serializes its votes.
//
//	oponn ─┬─ writers ── writer/<n>        one transaction at a time each
//	       ├─ ballots ── ballot/<id> ── audience
//	       ├─ streams ── sub/<n>           one per viewer
//	       └─ relay                        the bus, and the sweep that heals
//
// A vote goes from System.Cast through admission to the registry (ballots),
// which wakes its ballot; the ballot seals it, gathers it with others while a
// batch is under way, and sends them to its writer, which commits the batches
// of many ballots in one transaction. Only then the ballot applies what was
// committed, answers the voters, and publishes to its audience and the relay.
//
// What decides is the store: the actors' memory is a cache of its heads, and
// any of them may crash and begin anew.
package actors
