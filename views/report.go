package views

import "github.com/oponn/oponn"

// ReportReasons are the values of the field reason, in the order of the form.
var ReportReasons = []string{"abuse", "personal", "illegal", "spam", "other"}

// Report is the data of the page on which a ballot is reported.
type Report struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	// Reason and Text are what was filled in when the form is shown again.
	Reason, Text string
	// Contact is a further address of the operators: a URL, also of mail.
	Contact string
	// Done says that the report has arrived.
	Done bool
	// Errors are of the fields reason and text.
	Errors []oponn.FieldError
	// Problem is what went wrong that is no field's fault; nil if nothing did.
	Problem *Problem
}

// ReportPage returns the page on which a ballot is reported.
func ReportPage(p Page, d Report) View {
	return View{page: p, title: p.t("report.title"), main: reportMain(p, d)}
}
