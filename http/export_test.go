package http

// Routes returns every route that the server has, as "GET /ballots/:id".
func (s *Server) Routes() []string {
	var all []string
	for _, route := range s.echo.Routes() {
		all = append(all, route.Method+" "+route.Path)
	}
	return all
}

// The budgets, for tests of which are shared.
var (
	TokenBudget  = tokenBudget
	BallotBudget = ballotBudget
	ReportBudget = reportBudget
	JoinBudget   = joinBudget
	CodeBudget   = codeBudget
	VoteBudget   = voteBudget
)

// Shut says whether no vote may take the fast path any more.
func (s *Server) Shut() bool {
	if s.voting.enter() {
		s.voting.leave()
		return false
	}
	return true
}
