// Package oponn is the domain of a real-time voting service: ballots, votes,
// tallies and the rules between them, and the ports through which the rest of
// the program stores, seals and publishes them.
//
// The package is pure. It does no I/O, starts no goroutine and reads no clock;
// whatever it needs of the world is handed in. Everything in it is safe for
// concurrent use unless a comment says otherwise, because nothing in it is
// changed after it was made.
package oponn
