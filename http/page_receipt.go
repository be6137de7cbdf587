package http

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn/views"
)

// showReceipt says whether the vote of a receipt counts, to whoever has it.
func (s *Server) showReceipt(c echo.Context) error {
	id, err := ballotID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	snapshot, err := s.ballots.Result(ctx, id, 0)
	if err != nil {
		return err
	}
	counting, err := s.ballots.Counting(ctx, id, c.Param("receipt"))
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, views.ReceiptPage(s.page(c), views.Counting{
		ID: id.String(), Question: snapshot.Ballot.Definition.Question, Locator: c.Param("receipt"), Counting: counting,
	}))
}
