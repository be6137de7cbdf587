package ops

import (
	"fmt"
	"log/slog"
	"net/http"
)

// showLevel says what the log writes.
func (s *Server) showLevel(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, s.level.Level())
}

// setLevel changes what the log writes, from now on and for this process.
func (s *Server) setLevel(w http.ResponseWriter, r *http.Request) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(r.FormValue("level"))); err != nil {
		http.Error(w, "The level has to be debug, info, warn or error.", http.StatusUnprocessableEntity)
		return
	}
	before := s.level.Level()
	s.level.Set(level)
	// At the higher level of the two, so that both ends of a time of debugging
	// are in the log.
	s.log.Log(r.Context(), max(before, level, slog.LevelInfo), "log level changed", "from", before, "to", level)
	s.showLevel(w, r)
}
