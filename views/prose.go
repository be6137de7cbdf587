package views

import "strings"

// PrivacyPage returns the page on what is stored of visitors. An empty text is
// ours, about what the program does by itself.
func PrivacyPage(p Page, text string) View {
	if text == "" {
		text = p.t("privacy.text")
	}
	return View{page: p, title: p.t("privacy.title"), current: "/privacy", main: proseMain(p, p.t("privacy.title"), blocks(text))}
}

// ImprintPage returns the page on who runs the service.
func ImprintPage(p Page, text string) View {
	return View{page: p, title: p.t("imprint.title"), current: "/imprint", main: proseMain(p, p.t("imprint.title"), blocks(text))}
}

// block is a part of a text: a heading, a list or a paragraph, whose lines stay
// lines.
type block struct {
	heading string
	items   []string
	text    string
}

// blocks takes a text apart at its empty lines. A part that begins with # is a
// heading, one whose lines all begin with a dash is a list. Nothing else means
// anything.
func blocks(text string) []block {
	var all []block
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		part = strings.TrimSpace(part)
		heading, isHeading := strings.CutPrefix(part, "#")
		switch items := dashed(part); {
		case part == "":
		case isHeading:
			all = append(all, block{heading: strings.TrimSpace(strings.TrimLeft(heading, "#"))})
		case items != nil:
			all = append(all, block{items: items})
		default:
			all = append(all, block{text: part})
		}
	}
	return all
}

// dashed returns the items of a list; nil for what is none.
func dashed(part string) (items []string) {
	for line := range strings.SplitSeq(part, "\n") {
		item, is := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if !is {
			return nil
		}
		items = append(items, item)
	}
	return items
}
