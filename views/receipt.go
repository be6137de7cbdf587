package views

import "github.com/oponn/oponn"

// Counting is the data of the page of a receipt.
type Counting struct {
	// ID is the ballot's, as it stands in links.
	ID       string
	Question string
	// Locator is the receipt.
	Locator  string
	Counting oponn.Counting
}

// ReceiptPage returns the page that says whether the vote of a receipt counts,
// and nothing of what it chose.
func ReceiptPage(p Page, d Counting) View {
	return View{page: p, title: p.t("receipt.title", d.Question), main: countingMain(p, d)}
}
