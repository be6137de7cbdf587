//go:build !linux

package voters

func newWaiter() Waiter { return ordinaryWaiter{} }
