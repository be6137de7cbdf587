package http

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn/views"
	"github.com/oponn/oponn/views/export"
)

// The routes of streams, whose lines of the log are written when they end.
const (
	routePageStream = "/ballots/:id/live"
	routeAPIStream  = "/api/v1/ballots/:id/live"
)

// routeCast is that of votes by the API.
const routeCast = "/api/v1/ballots/:id/votes"

// routes returns the table of what is where.
func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.fail(c, err) }
	e.Use(s.observe, s.guard)

	endless := func(path string, handle echo.HandlerFunc) {
		e.GET(path, handle)
		e.HEAD(path, handle)
	}
	get := func(path string, handle echo.HandlerFunc) { endless(path, s.bound(handle)) }
	post := func(path string, handle echo.HandlerFunc) { e.POST(path, s.bound(handle)) }
	get("/", s.showHome)
	get("/new", s.showNew)
	post(routeLanguage, s.chooseLanguage)
	get("/join", s.join)
	get("/b/:id", s.openShort)
	post("/ballots", s.createByForm)
	get("/ballots/:id", s.showVote)
	post("/ballots/:id/votes", s.castByForm)
	get("/ballots/:id/codes/:code", s.openCode)
	post("/ballots/:id/codes", s.codesByForm)
	get("/ballots/:id/results", s.showResults)
	get("/ballots/:id/present", s.showPresent)
	get("/ballots/:id/watching", s.showWatching)
	get("/ballots/:id/embed", s.showEmbed)
	get("/ballots/:id/preview.png", s.showPreview)
	get("/ballots/:id/bars.svg", s.resultPicture("bars", mediaSVG))
	get("/ballots/:id/bars.png", s.resultPicture("bars", mediaPNG))
	get("/ballots/:id/pace.svg", s.resultPicture("pace", mediaSVG))
	get("/ballots/:id/pace.png", s.resultPicture("pace", mediaPNG))
	get("/ballots/:id/receipts/:receipt", s.showReceipt)
	get("/ballots/:id/manage", s.showManage)
	post("/ballots/:id/manage", s.manageByForm)
	get("/docs", s.showDocs)
	get("/ballots/:id/report", s.showReport)
	post("/ballots/:id/report", s.reportByForm)
	get("/ballots/:id/results.csv", s.resultsFile(s.browserOnlooker))
	e.GET("/ballots/:id/votes.csv", s.named(s.votesFile(s.browserOnlooker, "votes.csv", mediaCSV, export.VotesCSV)))
	e.GET("/ballots/:id/votes.json", s.named(s.votesFile(s.browserOnlooker, "votes.json", mediaJSON, export.VotesJSON)))
	get("/privacy", s.showPrivacy)
	get("/imprint", s.showImprint)
	endless(routePageStream, s.streamPage)
	get(views.AssetsPrefix+"*", echo.WrapHandler(s.cfg.Assets))

	get("/api/v1/openapi.json", s.getDocument)
	post("/api/v1/ballots", s.createByAPI)
	get("/api/v1/ballots/:id", s.getBallot)
	e.PATCH("/api/v1/ballots/:id", s.bound(s.changeBallot))
	e.DELETE("/api/v1/ballots/:id", s.bound(s.deleteBallot))
	e.PATCH("/api/v1/ballots/:id/options/:option", s.bound(s.changeOption))
	post("/api/v1/ballots/:id/codes", s.createCodes)
	get("/api/v1/ballots/:id/receipts/:receipt", s.getReceipt)
	get("/api/v1/ballots/:id/results", s.getResults)
	get("/api/v1/ballots/:id/results.csv", s.resultsFile(s.apiOnlooker))
	e.GET("/api/v1/ballots/:id/votes.csv", s.named(s.votesFile(s.apiOnlooker, "votes.csv", mediaCSV, export.VotesCSV)))
	e.GET("/api/v1/ballots/:id/votes.json", s.named(s.votesFile(s.apiOnlooker, "votes.json", mediaJSON, export.VotesJSON)))
	endless(routeAPIStream, s.streamAPI)
	e.POST(routeCast, s.castByAPI) // Ballots.Cast has a deadline of its own
	if s.cfg.VoterTokens {
		post("/api/v1/voters", s.createVoters)
	}
	return e
}

// head says whether only the head of the answer is wanted.
func head(c echo.Context) bool { return c.Request().Method == http.MethodHead }
