// Package browsertest drives a real headless Chromium for tests and for the
// pictures in the documentation.
package browsertest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is one running Chromium. Its profile is empty and goes with it.
type Browser struct{ ctx context.Context }

// Launch starts Chromium, found on the path, and returns how to end it. It
// reaches nothing but the addresses that its pages ask for.
func Launch(ctx context.Context) (b *Browser, quit func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // Chromium refuses to sandbox when it is root
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter"),
		chromedp.CombinedOutput(io.Discard))
	allocator, endAllocator := chromedp.NewExecAllocator(ctx, options...)
	first, endFirst := chromedp.NewContext(allocator)
	quit = func() { endFirst(); endAllocator() }
	if err := chromedp.Do(first); err != nil {
		quit()
		return nil, nil, fmt.Errorf("start chromium: %w", err)
	}
	return &Browser{ctx: first}, quit, nil
}

// Visitor is somebody with a browser of their own: other visitors don't share
// its cookies. It has one page open at a time. Not safe for concurrent use.
type Visitor struct {
	ctx    context.Context
	leave  func()
	errors chan string
}

// Visitor opens a fresh profile with a page of the given size in CSS pixels.
// Every step of it is bounded by the given patience.
func (b *Browser) Visitor(width, height int64, options ...Option) (*Visitor, error) {
	ctx, leave := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	v := &Visitor{ctx: ctx, leave: leave, errors: make(chan string, 100)}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		leave()
		return nil, fmt.Errorf("open a page: %w", err)
	}
	if err := chromedp.Listen(ctx, v.note); err != nil {
		leave()
		return nil, fmt.Errorf("listen to the page: %w", err)
	}
	for _, option := range options {
		if err := chromedp.Do(ctx, option); err != nil {
			leave()
			return nil, fmt.Errorf("set up the page: %w", err)
		}
	}
	return v, nil
}

// note keeps what the page's scripts throw and its console calls an error.
func (v *Visitor) note(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != "error" {
			return
		}
		for _, arg := range e.Args {
			text += fmt.Sprintf("%s %s ", arg.Description, arg.Value)
		}
	default:
		return
	}
	select {
	case v.errors <- text:
	default:
	}
}

// Errors returns what the scripts of the page complained about since the last
// call.
func (v *Visitor) Errors() []string {
	var all []string
	for {
		select {
		case text := <-v.errors:
			all = append(all, text)
		default:
			return all
		}
	}
}

// Option changes how a visitor's browser is set up.
type Option = chromedp.Action[chromedp.Void]

// Light asks for the light colour scheme, and Dark for the dark one. Both ask
// for no motion, so that pictures are the same each time.
func Light() Option { return scheme("light") }

// Dark is described at Light.
func Dark() Option { return scheme("dark") }

func scheme(name string) Option {
	return media(emulation.MediaFeature{Name: "prefers-color-scheme", Value: name})
}

// ForcedColors is a system that sets the colours of all pages, on a dark or a
// light ground.
func ForcedColors(ground string) Option {
	return media(emulation.MediaFeature{Name: "prefers-color-scheme", Value: ground}, emulation.MediaFeature{Name: "forced-colors", Value: "active"})
}

func media(features ...emulation.MediaFeature) Option {
	all := []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}
	for _, f := range features {
		all = append(all, &f)
	}
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: all})
}

// In puts the visitor into a time zone, by its IANA name.
func In(zone string) Option {
	return command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone})
}

// Prefers makes the visitor's browser ask for a language.
func Prefers(lang string) Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
		return err
	})
}

// NoScript switches JavaScript off.
func NoScript() Option {
	return command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// patience bounds every step.
const patience = 20 * time.Second

// Do runs steps of chromedp.
func (v *Visitor) Do(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// Go opens a page and waits until it has loaded. The framework may take the end
// of the last page's loading for this one's, when little of it is there.
func (v *Visitor) Go(url string) error {
	if err := v.Do(chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("open %s: %w", url, err)
	}
	return v.AwaitTrue("document.readyState === 'complete'")
}

// Window changes the size of the page, in CSS pixels.
func Window(width, height int64) Option { return chromedp.EmulateViewport(width, height) }

// Reload loads the page again.
func Reload() Option { return chromedp.Reload() }

// Back goes back one page, as the browser's button does. It doesn't wait for a
// load, since a page that was kept in memory has none.
func (v *Visitor) Back() error {
	return v.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		history, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		entry := history.Entries[max(history.CurrentIndex-1, 0)]
		_, err = cdp.Call(ctx, t, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: entry.ID})
		return err
	}))
}

// Click clicks the first element that a CSS selector finds, when it is there
// and can be seen.
func (v *Visitor) Click(selector string) error {
	if err := v.Do(chromedp.Click(chromedp.CSS(selector))); err != nil {
		return fmt.Errorf("click %s: %w", selector, err)
	}
	return nil
}

// Type types a text into a field.
func (v *Visitor) Type(selector, text string) error {
	if err := v.Do(chromedp.SendKeys(chromedp.CSS(selector), text)); err != nil {
		return fmt.Errorf("type into %s: %w", selector, err)
	}
	return nil
}

// Press presses a key, wherever the focus is.
func (v *Visitor) Press(keys string) error { return v.Do(chromedp.KeyEvent(keys)) }

// Eval returns what an expression is worth in the page.
func Eval[T any](v *Visitor, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// Text returns the visible text of the page.
func (v *Visitor) Text() (string, error) {
	return Eval[string](v, "document.body ? document.body.innerText : ''")
}

// URL returns where the visitor is.
func (v *Visitor) URL() (string, error) { return Eval[string](v, "location.href") }

// AwaitText waits until the page shows a text, and returns the time it took.
func (v *Visitor) AwaitText(want string) (time.Duration, error) {
	begin := time.Now()
	var text string
	// While one page makes room for the next there is nothing to ask.
	err := v.await(func() bool {
		if now, err := v.Text(); err == nil {
			text = now
		}
		return strings.Contains(text, want)
	})
	if err != nil {
		return 0, fmt.Errorf("%q is not on the page, which says:\n%s\n%w", want, text, err)
	}
	return time.Since(begin), nil
}

// AwaitTrue waits until an expression is true in the page.
func (v *Visitor) AwaitTrue(expression string) error {
	err := v.await(func() bool {
		ok, err := Eval[bool](v, expression)
		return err == nil && ok
	})
	if err != nil {
		return fmt.Errorf("%s does not become true: %w", expression, err)
	}
	return nil
}

// await asks every 20 ms, the framework's own polling being refused by the
// pages' content security policy.
func (v *Visitor) await(there func() bool) error {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	turn := time.NewTicker(20 * time.Millisecond)
	defer turn.Stop()
	for !there() {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Screenshot returns a PNG of the whole page.
func (v *Visitor) Screenshot() ([]byte, error) {
	// Looking beyond the viewport shifts a page from right to left that fits in.
	tall, err := Eval[bool](v, "document.documentElement.scrollHeight > innerHeight")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Action[[]byte](func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &tall})
		return shot.Data, err
	}))
}

// Leave closes the page and forgets the profile.
func (v *Visitor) Leave() { v.leave() }

// Spoken returns the text that a screen reader finds in the first element of a
// CSS selector: the names of what the browser tells it, in order.
func (v *Visitor) Spoken(selector string) (string, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Action[string](func(ctx context.Context, t *chromedp.Target) (string, error) {
		found, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf("document.querySelector(%q)", selector)})
		if err != nil {
			return "", err
		}
		tree, err := cdp.Call(ctx, t, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: found.Result.ObjectID, Role: "StaticText"})
		if err != nil {
			return "", err
		}
		var names []string
		for _, node := range tree.Nodes {
			if !node.Ignored {
				names = append(names, strings.Trim(string(node.Name.Value), `"`))
			}
		}
		return strings.Join(strings.Fields(strings.Join(names, " ")), " "), nil
	}))
}

// Axe runs axe-core, given as its source, on the page and returns what it finds
// wrong by the success criteria of WCAG 2.2 up to AA: a line for each element.
func (v *Visitor) Axe(source string) ([]string, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[[]string](source+axeRun, chromedp.EvalAwaitPromise))
}

const axeRun = `
;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"]})
  .then(found => found.violations.flatMap(rule => rule.nodes.map(node => rule.id + ": " + node.target + ": " + node.failureSummary)))`

// Print returns the page as a PDF, as it is printed on A4.
func (v *Visitor) Print() ([]byte, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Action[[]byte](func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		const wide, high = 210 / 25.4, 297 / 25.4 // in inches
		printed, err := cdp.Call(ctx, t, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: wide, PaperHeight: high})
		return printed.Data, err
	}))
}
