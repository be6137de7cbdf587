package browsertest

import (
	"context"

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
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{&c}})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, network.OverrideNetworkState, network.OverrideNetworkStateParams{
			Offline: c.Offline, Latency: c.Latency, DownloadThroughput: c.DownloadThroughput, UploadThroughput: c.UploadThroughput})
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
