package main_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wire leads from one instance to one service, through a proxy that can do
// harm to what passes.
type wire struct {
	proxy *toxiproxy.Proxy
	// url is the service's, by this wire.
	url string
}

// newWire lays a wire to the service at a URL, until the test ends.
func newWire(t *testing.T, name, service string) *wire {
	t.Helper()
	u, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &wire{proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", u.Host)}
	if err := w.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Stop)
	u.Host = w.proxy.Listen
	w.url = u.String()
	return w
}

// cut ends all connections and refuses new ones, until mend.
func (w *wire) cut() { w.proxy.Stop() }

// mend lets everything pass again.
func (w *wire) mend(t *testing.T) {
	t.Helper()
	w.proxy.Toxics.ResetToxics(t.Context())
	if !w.proxy.Enabled {
		if err := w.proxy.Start(); err != nil {
			t.Errorf("%s: %v", w.proxy.Name, err)
		}
	}
}

// The ways of a wire.
const (
	requests = "upstream"
	answers  = "downstream"
)

// poison adds a toxic to one way of the wire, until mend.
func (w *wire) poison(t *testing.T, kind, way, attribute string, value int) {
	t.Helper()
	toxic := fmt.Sprintf(`{"type": %q, "stream": %q, "attributes": {%q: %d}}`, kind, way, attribute, value)
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Errorf("%s: %s: %v", w.proxy.Name, toxic, err)
	}
}
