package http

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/views/openapi"
)

// Whoever adds a route to the API writes it down, and whoever removes one
// strikes it out.
func TestDocument_HasTheRoutes(t *testing.T) {
	s, err := New(Config{Secrets: [][]byte{[]byte("a secret that only the tests know")}, VoterTokens: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	routed, parameter := map[string]bool{}, regexp.MustCompile(`:(\w+)`)
	for _, r := range s.echo.Routes() {
		if strings.HasPrefix(r.Path, "/api/") {
			routed[r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}")] = true
		}
	}
	document, err := openapi.Read()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, section := range document.Sections {
		for _, o := range section.Operations {
			documented[o.Method+" "+o.Path] = true
			if o.Method == http.MethodGet && routed["HEAD "+o.Path] {
				documented["HEAD "+o.Path] = true // it goes where GET goes
			}
		}
	}
	for route := range routed {
		if !documented[route] {
			t.Errorf("%s isn't documented", route)
		}
	}
	for route := range documented {
		if !routed[route] {
			t.Errorf("%s is documented, but isn't there", route)
		}
	}
}

// Every code is documented with its status, and no other.
func TestDocument_HasTheCodes(t *testing.T) {
	document, err := openapi.Read()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[oponn.Code]int{codeMethod: http.StatusMethodNotAllowed} // told in its introduction
	for _, section := range document.Sections {
		for _, o := range section.Operations {
			for _, a := range o.Answers {
				if a.Failed() && len(a.Codes) == 0 {
					t.Errorf("%s: %d has no codes", o.ID, a.Status)
				}
				for _, code := range a.Codes {
					if status, ok := documented[oponn.Code(code)]; ok && status != a.Status {
						t.Errorf("%s is documented with %d and %d", code, status, a.Status)
					}
					documented[oponn.Code(code)] = a.Status
				}
			}
		}
	}
	if !maps.Equal(documented, statuses) {
		t.Errorf("documented are\n%v, there are\n%v", sorted(documented), sorted(statuses))
	}
}

func sorted(codes map[oponn.Code]int) []oponn.Code { return slices.Sorted(maps.Keys(codes)) }
