package http

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views"
)

// showPrivacy shows what is stored of visitors: the operators' text, or ours
// about what the program does by itself.
func (s *Server) showPrivacy(c echo.Context) error {
	return s.show(c, http.StatusOK, views.PrivacyPage(s.page(c), s.cfg.Privacy))
}

// showImprint shows who runs this, where the operators say so.
func (s *Server) showImprint(c echo.Context) error {
	if s.cfg.Imprint == "" {
		return oponn.Errorf(oponn.CodeNotFound, "There is nothing here.")
	}
	return s.show(c, http.StatusOK, views.ImprintPage(s.page(c), s.cfg.Imprint))
}
