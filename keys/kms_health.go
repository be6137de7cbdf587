package keys

import (
	"log/slog"
	"sync"
	"time"
)

// HealthState is how a key management service answers.
type HealthState string

// The states. Unreachable is retried and opened keys go on; denied is neither.
const (
	HealthOK          HealthState = "ok"
	HealthUnreachable HealthState = "unreachable"
	HealthDenied      HealthState = "denied"
)

// Health is how a key management service answered of late, for /readyz.
type Health struct {
	State HealthState
	// Since is when the state began: the first failure of an outage; zero when
	// all is well.
	Since time.Time
	// Reason is the newest failure's short name, such as "timeout" or
	// "AccessDeniedException"; empty when all is well.
	Reason string
}

// kmsLogPause is how long a denial of one kind stays silent after its line.
const kmsLogPause = 10 * time.Second

// kmsHealth remembers how KMS answers, and tells the log.
type kmsHealth struct {
	log *slog.Logger

	mu     sync.Mutex
	away   Health               // zero unless KMS is unreachable
	denied map[operation]Health // of what serving needs
	said   map[string]time.Time // when the log last heard of a denial, by reason
}

func newKMSHealth(log *slog.Logger) *kmsHealth {
	return &kmsHealth{log: log, denied: make(map[operation]Health), said: make(map[string]time.Time)}
}

func (h *kmsHealth) now() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away.State != "" {
		return h.away
	}
	worst := Health{State: HealthOK}
	for _, d := range h.denied {
		if worst.State == HealthOK || d.Since.Before(worst.Since) {
			worst = d
		}
	}
	return worst
}

// note takes in the outcome of one call.
func (h *kmsHealth) note(op operation, about string, v verdict, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch v {
	case untold:
	case unreachable:
		h.noteAway(op, err)
	default:
		h.noteBack()
		h.noteAnswer(op, about, v, err)
	}
}

func (h *kmsHealth) noteAway(op operation, err error) {
	why := reason(err)
	if h.away.State == "" {
		h.away = Health{State: HealthUnreachable, Since: time.Now()}
		h.log.Warn("KMS can't be reached: opened keys go on, new ballots wait",
			"operation", string(op), "reason", why, "error", err.Error())
	}
	if why != "breaker" || h.away.Reason == "" { // which only repeats what came before
		h.away.Reason = why
	}
}

func (h *kmsHealth) noteBack() {
	if h.away.State != "" {
		h.log.Info("KMS can be reached again", "away", time.Since(h.away.Since))
		h.away = Health{}
	}
}

func (h *kmsHealth) noteAnswer(op operation, about string, v verdict, err error) {
	if v != forbidden {
		if _, was := h.denied[op]; was {
			h.log.Info("KMS allows it again", "operation", string(op))
			delete(h.denied, op)
		}
	}
	if v == fine {
		return
	}
	if op != opGenerate && op != opDecrypt {
		return // an operator's, who reads the error
	}
	why := reason(err)
	if v == forbidden {
		d, was := h.denied[op]
		if !was {
			d = Health{State: HealthDenied, Since: time.Now()}
		}
		d.Reason = why
		h.denied[op] = d
	}
	if last, ok := h.said[why]; ok && time.Since(last) < kmsLogPause {
		return
	}
	h.said[why] = time.Now()
	h.log.Error("KMS refuses: the key is dropped, there is no retry",
		"operation", string(op), "about", about, "reason", why, "error", err.Error())
}
