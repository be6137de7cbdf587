//go:build !unix

package viewers

import (
	"os/exec"
	"time"
)

func isolate(*exec.Cmd) {}

func cpu() time.Duration { return 0 }
