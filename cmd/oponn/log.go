package main

import (
	"io"

	"github.com/oponn/oponn/cmd/oponn/logging"
)

// newLog returns a log for programs in production; in development, for people
// where they look at it.
func newLog(w io.Writer, cfg config) *logging.Log {
	form := logging.Text
	switch {
	case cfg.production:
		form = logging.JSON
	case colourful(w):
		form = logging.Pretty
	}
	return logging.New(logging.Config{To: w, Form: form, Level: cfg.logLevel,
		// A report is kept nowhere else, and http limits them.
		Always: []string{"ballot reported"}})
}
