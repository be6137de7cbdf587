package http

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/openapi"
)

// documentTag is the entity tag of the API's document.
var documentTag = func() string {
	sum := sha256.Sum256([]byte(openapi.JSON()))
	return strconv.Quote(hex.EncodeToString(sum[:8]))
}()

// getDocument returns the API's description.
func (s *Server) getDocument(c echo.Context) error {
	h := c.Response().Header()
	h.Set("ETag", documentTag)
	h.Set("Cache-Control", "no-cache")
	if matchesTag(strings.Join(c.Request().Header.Values("If-None-Match"), ","), documentTag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(http.StatusOK, mediaJSON, []byte(openapi.JSON()))
}

// showDocs shows the same to people.
func (s *Server) showDocs(c echo.Context) error {
	return s.showPacked(c, views.DocsPage(s.page(c), views.Docs{Document: s.document, Base: s.base(c.Request())}))
}
