package actors

import (
	"sync"
	"testing"
	"testing/synctest"
)

// TestCrew runs more at once than there are hands, and lets them go.
func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		at := func() int {
			synctest.Wait()
			c.mu.Lock()
			defer c.mu.Unlock()
			return len(c.idle)
		}
		together := func(n int) {
			var here, done sync.WaitGroup
			here.Add(n)
			for range n {
				done.Add(1)
				c.Schedule(func() {
					defer done.Done()
					here.Done()
					here.Wait() // nobody goes on before all are here
				})
			}
			done.Wait()
		}
		together(2 * maxIdleHands)
		if n := at(); n != maxIdleHands {
			t.Errorf("%d hands are kept", n)
		}
		c.trim() // all have worked since the beginning
		together(3)
		if n := at(); n != maxIdleHands {
			t.Errorf("%d hands after a trim", n)
		}
		c.trim()
		if n := at(); n != 3 {
			t.Errorf("%d hands when three are enough", n)
		}
		c.dismiss()
		together(5) // those who are late are served
		if n := at(); n != 0 {
			t.Errorf("%d hands in the end", n)
		}
	})
}
