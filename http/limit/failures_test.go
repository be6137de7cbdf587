package limit_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oponn/oponn/http/limit"
)

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := limit.NewFailures(limit.NewLocal(limit.Budget{Units: 3, Period: 3 * time.Minute}, 100), 2)
		fail := func(key string) {
			t.Helper()
			if err := f.Fail(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if fail("a"); f.Any() || f.Wait("a") != 0 {
				t.Fatal("held back before the budget is spent")
			}
		}
		if fail("a"); !f.Any() || f.Wait("a") != time.Minute || f.Wait("b") != 0 {
			t.Fatalf("held back for %v, another one for %v", f.Wait("a"), f.Wait("b"))
		}
		time.Sleep(time.Minute) //nolint:forbidigo // virtual time
		if f.Wait("a") != 0 || f.Any() {
			t.Error("still held back when its time is over")
		}
		for key := range 10 { // more than it remembers
			for range 4 {
				fail(strconv.Itoa(key))
			}
		}
		held := 0
		for key := range 10 {
			if f.Wait(strconv.Itoa(key)) > 0 {
				held++
			}
		}
		if held != 2 {
			t.Errorf("%d keys are remembered, want 2", held)
		}
		if f.Wait("9") == 0 {
			t.Error("the last one is not")
		}
	})
}
