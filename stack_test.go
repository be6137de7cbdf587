package oponn_test

import (
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

// fall panics with a voter among its arguments, and the choice in its hands.
//
//go:noinline
func fall(voter oponn.VoterID, choice string) { panic(len(choice) + int(voter[0])) }

// fallen returns the stack of that, as of the deferred function.
func fallen(voter oponn.VoterID) (stack string) {
	defer func() {
		_ = recover()
		stack = oponn.Stack()
	}()
	fall(voter, "yes")
	return ""
}

func TestStack(t *testing.T) {
	voter := oponn.VoterID{0xa7, 0xb9, 0xc3, 0xd5}
	stack := fallen(voter)
	for _, part := range []string{"oponn_test.fall\n\t", "stack_test.go:", "oponn_test.TestStack\n"} {
		if !strings.Contains(stack, part) {
			t.Errorf("the stack does not say %q:\n%s", part, stack)
		}
	}
	if strings.Contains(stack, "0x") || strings.Contains(stack, "a7") {
		t.Errorf("the stack shows arguments:\n%s", stack)
	}
}
