package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/oponn/oponn/http/browsertest"
)

// picturesFolder is where the pictures are, beside the tour's text.
const picturesFolder = "tour"

// stop is a page of the tour.
type stop struct {
	name, title, text string
	path              string
	// then is done on the page before the pictures are taken.
	then func(*browsertest.Visitor) error
	// lang is the language of the page; empty is English.
	lang string
}

// look is one way to see a page.
type look struct {
	name          string
	width, height int64
	scheme        browsertest.Option
}

// looks are those of every page.
func looks() []look {
	return []look{
		{"phone-dark", 390, 844, browsertest.Dark()},
		{"wide-dark", 1280, 800, browsertest.Dark()},
		{"phone-light", 390, 844, browsertest.Light()},
		{"wide-light", 1280, 800, browsertest.Light()},
	}
}

// visit goes there as somebody new and takes the pictures.
func (s stop) visit(browser *browsertest.Browser, base, folder string) error {
	var options []browsertest.Option
	if s.lang != "" {
		options = append(options, browsertest.Prefers(s.lang))
	}
	visitor, err := browser.Visitor(1280, 800, options...)
	if err != nil {
		return err
	}
	defer visitor.Leave()
	if err := visitor.Do(browsertest.Dark()); err != nil {
		return err
	}
	if err := visitor.Go(base + s.path); err != nil {
		return err
	}
	if s.then != nil {
		if err := s.then(visitor); err != nil {
			return err
		}
	}
	for _, l := range looks() {
		if err := visitor.Do(l.scheme, browsertest.Window(l.width, l.height)); err != nil {
			return err
		}
		picture, err := visitor.Screenshot()
		if err != nil {
			return err
		}
		if picture, err = slim(picture); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, s.picture(l)), picture, 0o600); err != nil { //nolint:gosec // the caller's own folder
			return err
		}
	}
	return nil
}

func (s stop) picture(l look) string { return s.name + "-" + l.name + ".png" }

// guide is the tour's text.
func guide(stops []stop) []byte {
	var b bytes.Buffer
	b.WriteString("# A tour of Oponn\n\nEvery page, on a phone and wide, in both schemes. `make tour` makes this page and its pictures.\n")
	for _, s := range stops {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n<p>\n", s.title, s.text)
		for _, l := range looks() {
			width := 160
			if l.width > 1000 {
				width = 420
			}
			fmt.Fprintf(&b, "<img src=\"%s/%s\" width=\"%d\" alt=\"%s, %s\">\n", picturesFolder, s.picture(l), width, s.title, l.name)
		}
		b.WriteString("</p>\n")
	}
	return b.Bytes()
}
