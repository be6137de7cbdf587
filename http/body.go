package http

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/oponn/oponn"
)

const mediaJSON = "application/json"

// The most bytes of a body.
const (
	creationLimit = 256 << 10
	voteLimit     = 8 << 10
	otherLimit    = 64 << 10
)

// readBody reads a request's body, of the given media type and at most limit
// bytes. Errors are CodeUnsupported, CodeTooLarge and CodeMalformed.
func readBody(c echo.Context, mediaType string, limit int64) ([]byte, error) {
	r := c.Request()
	if !sent(r, mediaType) {
		return nil, oponn.Errorf(oponn.CodeUnsupported, "Please send %s in UTF-8.", mediaType)
	}
	tooLarge := func() error {
		return oponn.Errorf(oponn.CodeTooLarge, "This is too large: at most %d bytes are taken here.", limit)
	}
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	var body []byte
	var err error
	if r.ContentLength >= 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(c.Response().Writer, r.Body, limit))
	}
	if err == nil {
		return body, nil
	}
	if over := (*http.MaxBytesError)(nil); errors.As(err, &over) {
		return nil, tooLarge()
	}
	return nil, &oponn.Error{Code: oponn.CodeMalformed, Message: "The request did not arrive as a whole.", Cause: err}
}

// sent says whether the request's body is of the media type, in UTF-8, and not
// compressed.
func sent(r *http.Request, mediaType string) bool {
	if r.Header.Get("Content-Encoding") != "" {
		return false
	}
	header := r.Header.Get("Content-Type")
	if header == mediaType {
		return true // as nearly everyone writes it
	}
	given, parameters, err := mime.ParseMediaType(header)
	charset, named := parameters["charset"]
	return err == nil && given == mediaType && (!named || strings.EqualFold(charset, "utf-8"))
}

// readForm reads the fields of an HTML form.
func readForm(c echo.Context, limit int64) (url.Values, error) {
	body, err := readBody(c, "application/x-www-form-urlencoded", limit)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &oponn.Error{Code: oponn.CodeMalformed, Message: "This form can't be read.", Cause: err}
	}
	for _, values := range form {
		if !utf8.ValidString(strings.Join(values, "")) {
			return nil, oponn.Errorf(oponn.CodeMalformed, "This form is not in UTF-8.")
		}
	}
	return form, nil
}
