package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ordinary is a client of net/http, for TLS and HTTP/2.
type ordinary struct {
	ctx    context.Context
	dialer *Dialer
	client http.Client
	in     bytes.Buffer
}

func newOrdinary(ctx context.Context, d *Dialer) *ordinary {
	transport := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, DisableCompression: true}
	if d.Insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // whoever asks for it tests a server of theirs
	}
	return &ordinary{ctx: ctx, dialer: d, client: http.Client{
		Transport: transport,
		Timeout:   d.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// Exchange implements Conn.
func (c *ordinary) Exchange(request *Request, response *Response) error {
	url := c.dialer.Target.Scheme + "://" + c.dialer.Target.Host + request.Path
	r, err := http.NewRequestWithContext(c.ctx, request.Method, url, bytes.NewReader(request.Body))
	if err != nil {
		return unsentError{err}
	}
	for _, f := range request.Fields {
		r.Header.Set(f.Name, string(f.Value))
	}
	answer, err := c.client.Do(r)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return unsentError{fmt.Errorf("wire: %w", err)}
		}
		return fmt.Errorf("wire: %w", err)
	}
	defer answer.Body.Close()
	c.in.Reset()
	if _, err := c.in.ReadFrom(io.LimitReader(answer.Body, MaxResponse)); err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	*response = Response{Status: answer.StatusCode, Body: c.in.Bytes(), Location: []byte(answer.Header.Get("Location"))}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		response.RetryAfter = time.Duration(seconds) * time.Second
	}
	if cookie, _, _ := strings.Cut(answer.Header.Get("Set-Cookie"), ";"); cookie != "" {
		response.Cookie = []byte(cookie)
	}
	return nil
}

// Close implements Conn.
func (c *ordinary) Close() { c.client.CloseIdleConnections() }
