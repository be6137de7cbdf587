package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/oponn/oponn/cmd/oponn/bench/voters"
)

// api speaks to the server for everything but the load itself.
type api struct {
	targets []*url.URL
	client  http.Client
}

func newAPI(targets []*url.URL, insecure bool) *api {
	transport := &http.Transport{MaxIdleConnsPerHost: tokenFlights}
	if insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // whoever asks for it tests a server of theirs
	}
	return &api{targets: targets, client: http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

func (a *api) close() { a.client.CloseIdleConnections() }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// ask sends JSON, if there is any, and reads the answer. What the server
// refuses for now is asked again.
func (a *api) ask(ctx context.Context, method, path string, body any) ([]byte, error) {
	for try := 1; ; try++ {
		text, wait, err := a.once(ctx, method, path, body)
		if err == nil || wait == 0 || try == 10 {
			return text, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// once asks once. A wait says that it may help to ask again.
func (a *api) once(ctx context.Context, method, path string, body any) (text []byte, wait time.Duration, err error) {
	content := []byte(nil)
	if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return nil, 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, a.targets[0].String()+path, bytes.NewReader(content))
	if err != nil {
		return nil, 0, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, 200 * time.Millisecond, fmt.Errorf("bench: %w", err)
	}
	defer response.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return nil, 200 * time.Millisecond, fmt.Errorf("bench: %s %s: %w", method, path, err)
	}
	if response.StatusCode/100 == 2 {
		return text, 0, nil
	}
	err = fmt.Errorf("bench: %s %s: the server answers %s: %.200s", method, path, response.Status, text)
	if seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")); seconds > 0 {
		return nil, time.Duration(min(seconds, 10)) * time.Second, err
	}
	return nil, 0, err
}

// openBallot makes a ballot.
func (a *api) openBallot(ctx context.Context, n, options int) (voters.Ballot, error) {
	labels := make([]string, options)
	for i := range labels {
		labels[i] = fmt.Sprintf("Option %d", i+1)
	}
	text, err := a.ask(ctx, http.MethodPost, "/api/v1/ballots",
		map[string]any{"question": fmt.Sprintf("Load test %d", n+1), "options": labels})
	if err != nil {
		return voters.Ballot{}, err
	}
	return readBallot(text)
}

// ballot asks for a ballot that is there.
func (a *api) ballot(ctx context.Context, id string) (voters.Ballot, error) {
	text, err := a.ask(ctx, http.MethodGet, "/api/v1/ballots/"+url.PathEscape(id), nil)
	if err != nil {
		return voters.Ballot{}, err
	}
	return readBallot(text)
}

func readBallot(text []byte) (voters.Ballot, error) {
	var answer struct {
		ID      string
		Options []struct{ ID string }
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.ID == "" || len(answer.Options) == 0 {
		return voters.Ballot{}, fmt.Errorf("bench: this is no ballot: %.200s", text)
	}
	b := voters.Ballot{ID: answer.ID}
	for _, o := range answer.Options {
		b.Options = append(b.Options, o.ID)
	}
	return b, nil
}

// tally is a ballot's result.
type tally struct {
	Version uint64
	Votes   int64
	Options []struct {
		ID    string
		Votes int64
	}
}

// of returns the votes on an option.
func (t *tally) of(id string) int64 {
	for _, o := range t.Options {
		if o.ID == id {
			return o.Votes
		}
	}
	return 0
}

// results asks for a ballot's result, of the given version or a later one.
func (a *api) results(ctx context.Context, id string, after uint64) (tally, error) {
	path := "/api/v1/ballots/" + url.PathEscape(id) + "/results"
	if after > 0 {
		path += "?after=" + strconv.FormatUint(after, 10)
	}
	text, err := a.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return tally{}, err
	}
	var t tally
	if err := json.Unmarshal(text, &t); err != nil {
		return tally{}, fmt.Errorf("bench: this is no result: %.200s", text)
	}
	return t, nil
}
