package oponn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn"
)

func TestCodeOf(t *testing.T) {
	gone := oponn.Errorf(oponn.CodeGone, "Ballot %d is gone.", 7)
	for name, c := range map[string]struct {
		err  error
		want oponn.Code
	}{
		"nil has none":                  {nil, ""},
		"its own":                       {gone, oponn.CodeGone},
		"found below others":            {fmt.Errorf("load: %w", gone), oponn.CodeGone},
		"the outermost counts":          {oponn.Retryable(oponn.CodeBusy, time.Second, gone, "Busy."), oponn.CodeBusy},
		"a stranger is a fault of ours": {errors.New("disk on fire"), oponn.CodeInternal},
		"invalid":                       {oponn.Invalid(oponn.FieldError{Field: "question"}), oponn.CodeInvalid},
		"internal":                      {oponn.Internal(errors.New("disk on fire")), oponn.CodeInternal},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, c.err, c.want) })
	}
}

func TestError_TellsItsCauseToTheLogAndNotToPeople(t *testing.T) {
	cause := errors.New("disk on fire")
	for _, err := range []*oponn.Error{
		oponn.Internal(cause),
		oponn.Retryable(oponn.CodeStoreUnavailable, time.Second, cause, "Please try again."),
	} {
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), cause.Error()) {
			t.Errorf("the log can't see the cause in %q", err)
		}
		if strings.Contains(err.Message, cause.Error()) {
			t.Errorf("people are told %q", err.Message)
		}
	}
}

func TestError_NamesCodeAndMessage(t *testing.T) {
	if got := oponn.Errorf(oponn.CodeGone, "Ballot %d is gone.", 7).Error(); got != "gone: Ballot 7 is gone." {
		t.Errorf("the log reads %q", got)
	}
}

func TestInvalid_SaysFirstWhatIsWrongFirst(t *testing.T) {
	err := oponn.Invalid(
		oponn.FieldError{Field: "question", Code: "required", Message: "Please ask."},
		oponn.FieldError{Field: "options", Code: "too_few", Message: "Please offer."})
	if err.Message != "Please ask." || len(err.Fields) != 2 {
		t.Errorf("says %q of %d fields", err.Message, len(err.Fields))
	}
}

func TestRetryable_SaysWhen(t *testing.T) {
	if err := oponn.Retryable(oponn.CodeBusy, 3*time.Second, nil, "Busy."); err.RetryAfter != 3*time.Second {
		t.Errorf("try again after %v", err.RetryAfter)
	}
}
