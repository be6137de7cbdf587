package main

import (
	"io"
	"net/mail"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"
)

// maxText is the most bytes of a text that is shown on a page of its own.
const maxText = 64 << 10

// text reads a file that is shown on a page; empty for none.
func (r *reader) text(name, path string) string {
	if path == "" {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		r.fault("%s can't be read: %v.", name, err)
		return ""
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxText+1))
	switch {
	case err != nil:
		r.fault("%s can't be read: %v.", name, err)
	case len(text) > maxText:
		r.fault("%s: %s has more than %d bytes.", name, path, maxText)
	case !utf8.Valid(text):
		r.fault("%s: %s is not in UTF-8.", name, path)
	case strings.TrimSpace(string(text)) == "":
		r.fault("%s: %s is empty.", name, path)
	default:
		return strings.TrimPrefix(string(text), "\ufeff")
	}
	return ""
}

// contact reads an address that is shown as a link.
func (r *reader) contact(name, value string) string {
	if value == "" {
		return ""
	}
	if address, isMail := strings.CutPrefix(value, "mailto:"); isMail {
		if parsed, err := mail.ParseAddress(address); err == nil && parsed.Address == address {
			return value
		}
	} else if u, err := url.Parse(value); err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil {
		return value
	}
	r.fault("%s has to be like mailto:abuse@example.org or https://example.org/report.", name)
	return ""
}
