// Package storetest holds the one conformance suite that every oponn.Store
// passes, and Memory, a simulated store that passes it too.
//
// A database plugs in with one function that makes a fresh one; see Run. The
// package also carries what tests of other packages need around a store: a
// Keyring (Keys), ballots and votes ready to be stored (Subject). It is for
// tests only: its keys protect nothing.
package storetest
