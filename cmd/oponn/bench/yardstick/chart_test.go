package yardstick

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// plotsVariable names a directory for drawings of what was measured.
const plotsVariable = "YARDSTICK_PLOTS"

// chart is a drawing of bars, the longer the more.
type chart struct {
	file, title, unit string
	bars              []bar
}

// bar is one value; those of Oponn stand out.
type bar struct {
	name  string
	value float64
	ours  bool
}

// The frame of a chart, in pixels.
const (
	chartWidth, chartLeft, chartRight = 760, 230, 90
	chartTop, chartStep, chartBar     = 46, 28, 18
)

// chartStyle follows the reader's scheme, where a chart is shown as an image.
const chartStyle = `<style>svg{background:#fff}text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#2b2730}.t{font-weight:700}.v{fill:#5d5566}` +
	`.b{fill:#b9b2c4}.o{fill:#7b3fc4}@media(prefers-color-scheme:dark){svg{background:#17151a}text{fill:#eae6f0}.v{fill:#b3abbd}.b{fill:#5a5364}.o{fill:#b388ff}}</style>`

// save draws a chart, if drawings are wanted.
func (c chart) save(b testing.TB) {
	b.Helper()
	dir := os.Getenv(plotsVariable)
	if dir == "" {
		return
	}
	most := 0.0
	for _, bar := range c.bars {
		most = max(most, bar.value)
	}
	height := chartTop + chartStep*len(c.bars)
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" role="img"><title>%s</title>%s`,
		chartWidth, height, chartWidth, html.EscapeString(c.title), chartStyle)
	fmt.Fprintf(&svg, `<text class="t" x="12" y="26">%s, %s</text>`, html.EscapeString(c.title), html.EscapeString(c.unit))
	for i, bar := range c.bars {
		top, class := chartTop+chartStep*i, "b"
		if bar.ours {
			class = "o"
		}
		width := bar.value / most * (chartWidth - chartLeft - chartRight)
		fmt.Fprintf(&svg, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/><text class="v" x="%.1f" y="%d">%s</text>`,
			chartLeft-10, top+14, html.EscapeString(bar.name), class, chartLeft, top, width, chartBar, chartLeft+width+8, top+14, figure(bar.value))
	}
	svg.WriteString("</svg>\n")
	if err := os.WriteFile(filepath.Join(dir, c.file+".svg"), []byte(svg.String()), 0o644); err != nil {
		b.Error(err)
	}
}

// figure writes a value with about three digits.
func figure(value float64) string {
	switch {
	case value >= 1000:
		return fmt.Sprintf("%.1f k", value/1000)
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	default:
		return fmt.Sprintf("%.3g", value)
	}
}
