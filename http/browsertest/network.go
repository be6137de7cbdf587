package browsertest

import (
	"context"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Offline takes the visitor from the network: what is under way fails, and the
// browser knows that it is offline.
func Offline() Option { return conditions(network.Conditions{Offline: true}) }

// Online undoes Offline and Slow3G.
func Online() Option {
	return conditions(network.Conditions{DownloadThroughput: -1, UploadThroughput: -1})
}

// Slow3G is a bad mobile network: 400 ms for a round trip and 400 kbit/s each
// way.
func Slow3G() Option {
	const bytesPerSecond = 400_000 / 8
	return conditions(network.Conditions{Latency: 400, DownloadThroughput: bytesPerSecond, UploadThroughput: bytesPerSecond})
}

func conditions(c network.Conditions) Option {
	throttle := command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{&c}})
	tell := command(network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: c.Offline, Latency: c.Latency, DownloadThroughput: c.DownloadThroughput, UploadThroughput: c.UploadThroughput})
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := throttle(ctx, t); err != nil {
			return err
		}
		_, err := tell(ctx, t)
		return err
	})
}

// command is a step that gives the browser a command and wants no answer.
func command[P, R any](c cdp.Command[P, R], params P) Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// Sleep puts the visitor's window out of sight, as a phone in the pocket does,
// and Wake brings it back.
func Sleep() Option { return window(browser.WindowStateMinimized) }

// Wake is described at Sleep.
func Wake() Option { return window(browser.WindowStateNormal) }

func window(state browser.WindowState) Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		w, err := cdp.Call(ctx, t, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, browser.SetWindowBounds, browser.SetWindowBoundsParams{WindowID: w.WindowID, Bounds: &browser.Bounds{WindowState: state}})
		return err
	})
}

// Load is what it took to load a page.
type Load struct {
	// Bytes came over the wire, heads included, by the requests of Requests.
	Bytes int
	// Requests are the addresses that were asked for, the page's first, without
	// streams.
	Requests []string
	// Late are those of them that the page itself doesn't name: another had to
	// come before they could be asked for.
	Late []string
}

// Weigh opens a page with an empty cache and returns what that took.
func (v *Visitor) Weigh(url string) (Load, error) {
	var load Load
	var mu sync.Mutex
	under := map[network.RequestID]bool{} // way
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if e.DocumentURL != url || e.Type == network.ResourceTypeFetch || strings.HasPrefix(e.Request.URL, "data:") {
				return
			}
			under[e.RequestID] = true
			load.Requests = append(load.Requests, e.Request.URL)
			by := e.Initiator
			if by.Type == network.InitiatorTypeScript || by.Type == network.InitiatorTypeParser && by.URL != url {
				load.Late = append(load.Late, e.Request.URL)
			}
		case *network.EventLoadingFinished:
			if under[e.RequestID] {
				load.Bytes += int(e.EncodedDataLength)
				delete(under, e.RequestID)
			}
		case *network.EventLoadingFailed:
			delete(under, e.RequestID)
		}
	})
	if err != nil {
		return Load{}, err
	}
	if err := v.Do(command(network.Enable, network.EnableParams{}), command(network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})); err != nil {
		return Load{}, err
	}
	if err := v.Go(url); err != nil {
		return Load{}, err
	}
	err = v.await(func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(under) == 0
	})
	mu.Lock()
	defer mu.Unlock()
	return load, err
}
