package http_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/oponn/oponn/views/openapi"
)

// contract is the API's document. Every answer that a world gets from the API
// is held to it.
type contract struct {
	document *openapi3.T
	routes   routers.Router
}

// readContract reads the document. Answers may get new fields, the document
// says; here it allows none, so that each is written down.
var readContract = sync.OnceValues(func() (*contract, error) {
	var tree any
	if err := json.Unmarshal([]byte(openapi.JSON()), &tree); err != nil {
		return nil, err
	}
	seal(tree)
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	c := &contract{}
	loader := openapi3.NewLoader()
	if c.document, err = loader.LoadFromData(text); err != nil {
		return nil, err
	}
	if err = c.document.Validate(loader.Context); err != nil {
		return nil, err
	}
	c.routes, err = legacy.NewRouter(c.document)
	return c, err
})

// seal forbids what objects don't name.
func seal(tree any) {
	switch node := tree.(type) {
	case map[string]any:
		if node["type"] == "object" && node["properties"] != nil && node["additionalProperties"] == nil {
			node["additionalProperties"] = false
		}
		for _, inner := range node {
			seal(inner)
		}
	case []any:
		for _, inner := range node {
			seal(inner)
		}
	}
}

func theContract(t testing.TB) *contract {
	t.Helper()
	c, err := readContract()
	if err != nil {
		t.Fatalf("the API's document: %v", err)
	}
	return c
}

// everywhere are the headers that any answer may have.
var everywhere = []string{"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Allow", "Cache-Control", "Connection",
	"Content-Length", "Content-Security-Policy", "Content-Type", "Date", "Strict-Transport-Security", "Vary", "X-Accel-Buffering",
	"X-Content-Type-Options", "X-Request-Id"}

// holds checks an exchange against the document, if it was with the API. A
// request that succeeded must be one that the document allows.
func (c *contract) holds(t testing.TB, req *http.Request, r reply) {
	t.Helper()
	if !strings.HasPrefix(req.URL.Path, "/api/") || req.Method == http.MethodOptions {
		return
	}
	asked := req.Clone(t.Context())
	if asked.Method == http.MethodHead {
		asked.Method = http.MethodGet
	}
	if req.GetBody != nil {
		asked.Body, _ = req.GetBody()
	}
	// The bearer's rights are the service's to check.
	options := &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true}
	route, parameters, err := c.routes.FindRoute(asked)
	if err != nil || r.status == http.StatusMethodNotAllowed {
		c.refused(t, asked, r, err)
		return
	}
	input := &openapi3filter.RequestValidationInput{Request: asked, PathParams: parameters, Route: route, Options: options}
	if r.status < 300 {
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("%s %s succeeded (%d), but the document doesn't allow it: %v", req.Method, req.URL.Path, r.status, err)
		}
	}
	response := (&openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: r.status, Header: r.header, Options: options}).SetBodyBytes([]byte(r.body))
	if req.Method == http.MethodHead || strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(t.Context(), response); err != nil {
		t.Errorf("%s %s: the answer is not as documented: %v", req.Method, route.Path, err)
	}
	documented := route.Operation.Responses.Status(r.status)
	if documented == nil {
		t.Errorf("%s %s answers %d, which isn't documented", req.Method, route.Path, r.status)
		return
	}
	if len(documented.Value.Content) == 0 && r.body != "" {
		t.Errorf("%s %s answers %d with a body that isn't documented: %s", req.Method, route.Path, r.status, r.body)
	}
	known := slices.Clone(everywhere)
	for name := range documented.Value.Headers {
		known = append(known, http.CanonicalHeaderKey(name))
	}
	for name := range r.header {
		if !slices.Contains(known, name) {
			t.Errorf("%s %s answers %d with the header %s, which isn't documented", req.Method, route.Path, r.status, name)
		}
	}
}

// refused checks the answer to a request for what the document doesn't have.
func (c *contract) refused(t testing.TB, req *http.Request, r reply, err error) {
	t.Helper()
	name := map[int]string{http.StatusNotFound: "NotFound", http.StatusMethodNotAllowed: "MethodNotAllowed", http.StatusBadRequest: "Malformed",
		http.StatusForbidden: "CrossSite", http.StatusServiceUnavailable: "Unavailable"}[r.status]
	if name == "" {
		t.Errorf("%s %s answers %d: %v", req.Method, req.URL.Path, r.status, err)
		return
	}
	if req.Method != http.MethodHead && r.body != "" {
		media := c.document.Components.Responses[name].Value.Content["application/problem+json"]
		c.fits(t, media.Schema.Value, r.body, name)
	}
}

// event checks one of a stream.
func (c *contract) event(t testing.TB, m message) {
	t.Helper()
	media := c.document.Paths.Value("/api/v1/ballots/{id}/live").Get.Responses.Status(http.StatusOK).Value.Content["text/event-stream"]
	events, _ := media.Extensions["x-events"].(map[string]any)
	ref, _ := events[m.name].(map[string]any)
	name, _ := ref["$ref"].(string)
	schema := c.document.Components.Schemas[name[strings.LastIndexByte(name, '/')+1:]]
	if schema == nil {
		t.Errorf("the event %+v isn't documented", m)
		return
	}
	c.fits(t, schema.Value, m.data, m.name)
}

// fits checks a JSON text against a schema.
func (c *contract) fits(t testing.TB, schema *openapi3.Schema, text, what string) {
	t.Helper()
	var value any
	if err := errors.Join(json.Unmarshal([]byte(text), &value), schema.VisitJSON(value, openapi3.EnableJSONSchema2020())); err != nil {
		t.Errorf("%s is not as documented: %v", what, err)
	}
}
