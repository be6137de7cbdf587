package oponn

import (
	"runtime"
	"strconv"
	"strings"
)

// stackDepth is how many functions Stack names at most.
const stackDepth = 64

// Stack returns where the calling goroutine is, for the log: two lines for each
// function, the innermost first, as of the deferred function of a panic. Unlike
// the stacks of runtime it shows no arguments. Those would tell: ids, tags and
// keys are passed by value, and ten of their sixteen bytes are shown.
func Stack() string {
	var callers [stackDepth]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	var text strings.Builder
	for {
		frame, more := frames.Next()
		if frame.Function != "" {
			text.WriteString(frame.Function + "\n\t" + frame.File + ":" + strconv.Itoa(frame.Line) + "\n")
		}
		if !more {
			return text.String()
		}
	}
}
