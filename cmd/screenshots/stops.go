package main

import (
	"context"

	"github.com/oponn/oponn/http/browsertest"
)

// step is something that a visitor does.
type step = func(*browsertest.Visitor) error

// steps does several, one after the other.
func steps(all ...step) step {
	return func(v *browsertest.Visitor) error {
		for _, do := range all {
			if err := do(v); err != nil {
				return err
			}
		}
		return nil
	}
}

func click(selector string) step {
	return func(v *browsertest.Visitor) error { return v.Click(selector) }
}

func write(selector, text string) step {
	return func(v *browsertest.Visitor) error { return v.Type(selector, text) }
}

func see(text string) step {
	return func(v *browsertest.Visitor) error {
		_, err := v.AwaitText(text)
		return err
	}
}

func network(change browsertest.Option) step {
	return func(v *browsertest.Visitor) error { return v.Do(change) }
}

// live waits until the result moves by itself.
func live(v *browsertest.Visitor) error {
	return v.AwaitTrue("document.querySelector('.board').dataset.connection === 'live'")
}

// ask fills in the form for a ballot and sends it.
func ask(question, first, second string) step {
	return steps(write("#question", question), write("#option-1", first), write("#option-2", second),
		click("#new .button-primary"), see("Your ballot is ready"))
}

// option chooses the nth.
func option(n string) step { return click("label.choice:nth-of-type(" + n + ")") }

// stops are the pages, in the order in which people meet them.
func (s *server) stops(ctx context.Context) ([]stop, error) {
	b, err := s.ballots(ctx)
	if err != nil {
		return nil, err
	}
	page := func(b made) string { return "/ballots/" + b.ID }
	manage := func(b made) string { return page(b) + "/manage#" + b.OwnerKey }
	vote, cast := click("#vote .button-primary"), see("your vote is counted")
	managed := steps(click("form .button-primary"), see("delete_ballot"))
	again := func(v *browsertest.Visitor) error { return v.Go(s.url + "/new") }
	home := func(v *browsertest.Visitor) error { return v.Go(s.url + "/") }
	return []stop{
		{name: "home", title: "Home", text: "What this browser has asked, with live counts.", path: "/new",
			then: steps(ask("Where do we meet next year?", "by the lake", "in the mountains"), again, ask("Red or white?", "red", "white"), home)},
		{name: "home-empty", title: "Home, the first time", text: "Nothing yet.", path: "/"},
		{name: "new", title: "A new ballot", text: "A question and two options are enough.", path: "/new"},
		{name: "new-rules", title: "Rules", text: "Who votes how, when, and who sees the result.", path: "/new", then: click(".rules summary")},
		{name: "new-errors", title: "Something is missing", text: "Each wrong input has its sentence beside it.", path: "/new",
			then: steps(write("#option-1", "the only one"), click("#new .button-primary"), see("at least two options"))},
		{name: "created", title: "Ready", text: "The link and its QR code come first.", path: "/new", then: ask("Where do we meet next year?", "by the lake", "in the mountains")},
		{name: "vote", title: "Voting", text: "What is chosen is marked by more than colour.", path: page(b.tabs), then: option("3")},
		{name: "vote-several", title: "Voting for several", text: "Or for something of one's own.", path: page(b.lunch), then: steps(option("1"), option("2"))},
		{name: "vote-code", title: "Voting by code", text: "Where a cookie is too little.", path: page(b.coded), then: steps(option("2"), write("#code", "7k3wd-x0q2m-41hr"))},
		{name: "vote-kept", title: "Voting without a network", text: "The vote is kept, and sent when the connection is back.", path: page(b.tabs),
			then: steps(option("1"), network(browsertest.Offline()), vote, see("Your vote is kept"))},
		{name: "vote-scheduled", title: "Too early", text: "The page opens by itself.", path: page(b.later)},
		{name: "vote-closed", title: "Too late", text: "The result is final.", path: page(b.closed)},
		{name: "results", title: "The live result", text: "Bars that grow, a leader, and how the page stands with its stream.", path: page(b.tabs) + "/results", then: live},
		{name: "results-voted", title: "After voting", text: "The same, with a receipt.", path: page(b.tabs),
			then: steps(option("1"), vote, cast, live, click(".receipt summary"))},
		{name: "results-offline", title: "The connection is lost", text: "What is old is called so.", path: page(b.tabs) + "/results",
			then: steps(live, network(browsertest.Offline()), see("results may be old"))},
		{name: "results-final", title: "The final result", text: "Frozen, with its time.", path: page(b.closed) + "/results"},
		{name: "results-hidden", title: "A result that is not shown yet", text: "Whoever asks decides who sees it, and when.", path: page(b.hidden) + "/results"},
		{name: "receipt", title: "A receipt", text: "It says that the vote is counted, never for what.", path: page(b.tabs),
			then: steps(option("2"), vote, cast, click(".receipt summary"), click("a[href*='/receipts/']"), see("is counted"))},
		{name: "key", title: "The owner's key", text: "For browsers that didn't make the ballot. It is sent when the button is pressed.", path: page(b.lunch) + "/manage"},
		{name: "manage", title: "The owner's page", text: "Close, extend, approve, export, delete.", path: manage(b.lunch), then: managed},
		{name: "delete", title: "Deleting", text: "Asks once.", path: manage(b.tabs), then: steps(managed, click("[value=delete]"), see("for good"))},
		{name: "codes", title: "Voting codes", text: "A sheet of cards to print and cut out, shown once.", path: manage(b.coded),
			then: steps(managed, write("#count", "6"), click("[value=make_codes]"), see("save_csv"))},
		{name: "present", title: "The projector", text: "Read from the last row, with the link, its QR code and the join code.", path: page(b.tabs) + "/present", then: live},
		{name: "embed", title: "In a frame of another site", text: "The result and a link, never a form.", path: page(b.tabs) + "/embed", then: live},
		{name: "docs", title: "The API", text: "Drawn from the OpenAPI document, without scripts of others.", path: "/docs"},
		{name: "report", title: "Reporting a ballot", text: "To whoever runs the server.", path: page(b.tabs) + "/report"},
		{name: "home-ar", title: "From right to left", text: "Arabic is mirrored; six other languages are not.", path: "/", lang: "ar"},
		{name: "vote-ar", title: "Voting, from right to left", text: "Questions and options keep the direction of their own letters.", path: page(b.lunch), lang: "ar", then: option("1")},
		{name: "results-ar", title: "The result, from right to left", text: "Bars grow from the right.", path: page(b.tabs) + "/results", lang: "ar", then: live},
		{name: "privacy", title: "Privacy", text: "In plain words.", path: "/privacy"},
		{name: "error", title: "Nothing here", text: "Errors say what can be done.", path: "/ballots/nothing"},
	}, nil
}
