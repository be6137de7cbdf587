package http

import "strings"

// typed returns a number or a code in ASCII, whatever the keyboard made of it:
// full-width characters, as a Japanese one does, or Arabic digits.
func typed(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // the full-width forms of ! to ~
			return r - '！' + '!'
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹': // of Persian and Urdu
			return r - '۰' + '0'
		}
		return r
	}, text))
}
