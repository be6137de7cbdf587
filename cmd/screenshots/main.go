// Command screenshots makes the pictures in the documentation: it starts the
// given binary with an empty data directory, fills it with a few ballots over
// the JSON API, and visits its pages in headless Chromium.
//
//	screenshots bin/oponn docs/images
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/oponn/oponn/http/browsertest"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: screenshots BINARY FOLDER")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1], os.Args[2])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

// shot is one picture.
type shot struct {
	name          string
	path          string
	width, height int64
	options       []browsertest.Option
	// before is done on the page before the picture is taken.
	before func(*browsertest.Visitor) error
}

func run(ctx context.Context, binary, folder string) error {
	server, err := startServer(ctx, binary)
	if err != nil {
		return err
	}
	defer server.stop()
	ballot, err := server.fill(ctx)
	if err != nil {
		return err
	}
	approval, err := server.lunch(ctx)
	if err != nil {
		return err
	}
	coded, err := server.coded(ctx)
	if err != nil {
		return err
	}
	browser, quit, err := browsertest.Launch(ctx)
	if err != nil {
		return err
	}
	defer quit()
	if err := os.MkdirAll(folder, 0o750); err != nil { //nolint:gosec // the caller's own folder
		return err
	}
	for _, s := range shots(ballot, approval, coded) {
		if err := s.take(browser, server.url, folder); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// shots are every page, on a phone and wide, and the result in both schemes.
func shots(ballot, approval, coded made) []shot {
	dark, light := []browsertest.Option{browsertest.Dark()}, []browsertest.Option{browsertest.Light()}
	live := func(v *browsertest.Visitor) error {
		return v.AwaitTrue("document.querySelector('.board').dataset.connection === 'live'")
	}
	chosen := func(v *browsertest.Visitor) error { return v.Click("label.choice:nth-of-type(3)") }
	empty := func(v *browsertest.Visitor) error {
		if err := v.Type("#option-1", "the only one"); err != nil {
			return err
		}
		if err := v.Click("#new .button-primary"); err != nil {
			return err
		}
		_, err := v.AwaitText("at least two options")
		return err
	}
	create := func(v *browsertest.Visitor) error {
		for field, text := range map[string]string{"#question": "Where do we meet next year?", "#option-1": "by the lake", "#option-2": "in the mountains"} {
			if err := v.Type(field, text); err != nil {
				return err
			}
		}
		if err := v.Click("#new .button-primary"); err != nil {
			return err
		}
		_, err := v.AwaitText("No votes yet")
		return err
	}
	ruled := func(v *browsertest.Visitor) error { return v.Click(".rules summary") }
	several := func(v *browsertest.Visitor) error {
		if err := v.Click("label.choice:nth-of-type(1)"); err != nil {
			return err
		}
		return v.Click("label.choice:nth-of-type(2)")
	}
	managed := func(v *browsertest.Visitor) error {
		if err := v.Click("form .button-primary"); err != nil {
			return err
		}
		_, err := v.AwaitText("close_now")
		return err
	}
	handedOut := func(v *browsertest.Visitor) error {
		if err := managed(v); err != nil {
			return err
		}
		if err := v.Type("#count", "12"); err != nil {
			return err
		}
		if err := v.Click("[value=make_codes]"); err != nil {
			return err
		}
		_, err := v.AwaitText("save_csv")
		return err
	}
	byCode := func(v *browsertest.Visitor) error {
		if err := v.Click("label.choice:nth-of-type(2)"); err != nil {
			return err
		}
		return v.Type("#code", "7k3wd-x0q2m-41hr")
	}
	page, lunch := "/ballots/"+ballot.ID, "/ballots/"+approval.ID
	return []shot{
		{"docs-phone", "/docs#castVote", 390, 844, dark, nil},
		{"docs-wide", "/docs#castVote", 1280, 900, dark, nil},
		{"home-wide", "/", 1280, 720, dark, nil},
		{"home-narrow", "/", 320, 640, dark, nil},
		{"new-wide", "/new", 1280, 720, dark, nil},
		{"new-errors-phone", "/new", 390, 844, dark, empty},
		{"created-wide", "/new", 1280, 720, dark, create},
		{"created-phone", "/new", 390, 844, dark, create},
		{"vote-phone", page, 390, 844, dark, chosen},
		{"new-rules-wide", "/new", 1280, 720, dark, ruled},
		{"vote-approval-phone", lunch, 390, 844, light, several},
		{"manage-phone", lunch + "/manage#" + approval.OwnerKey, 390, 844, dark, managed},
		{"codes-wide", "/ballots/" + coded.ID + "/manage#" + coded.OwnerKey, 1280, 900, dark, handedOut},
		{"vote-code-phone", "/ballots/" + coded.ID, 390, 844, dark, byCode},
		{"manage-wide", lunch + "/manage#" + approval.OwnerKey, 1280, 900, dark, managed},
		{"report-phone", page + "/report", 390, 844, dark, nil},
		{"vote-narrow-light", page, 320, 640, light, chosen},
		{"results-wide", page + "/results", 1280, 800, dark, live},
		{"results-wide-light", page + "/results", 1600, 900, light, live},
		{"results-phone", page + "/results", 390, 844, dark, live},
		{"results-phone-ar", page + "/results", 390, 844, append(dark, browsertest.Prefers("ar")), live},
		{"present-wide", page + "/present", 1920, 1080, dark, live},
		{"embed-light", page + "/embed", 600, 560, light, live},
		{"error-phone", "/ballots/nothing", 390, 600, dark, nil},
	}
}

// take visits the page as somebody new and keeps a picture of it.
func (s shot) take(browser *browsertest.Browser, base, folder string) error {
	visitor, err := browser.Visitor(s.width, s.height, s.options...)
	if err != nil {
		return err
	}
	defer visitor.Leave()
	if err := visitor.Go(base + s.path); err != nil {
		return err
	}
	if s.before != nil {
		if err := s.before(visitor); err != nil {
			return err
		}
	}
	picture, err := visitor.Screenshot()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, s.name+".png"), picture, 0o600) //nolint:gosec // the caller's own folder
}
