package views_test

import (
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"

	"github.com/oponn/oponn/views"
)

// The path is drawn here again, module by module, and compared with the code.
func TestQR(t *testing.T) {
	const text = "https://oponn.example/ballots/" + ballotID
	root := parse(t, render(t, views.QR(text, "QR code of "+hostile)))
	if label := content(all(root, tag("title"))[0]); label != "QR code of "+hostile {
		t.Errorf("it is named %q", label)
	}
	path, _ := attr(all(root, tag("path"))[0], "d")
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	dark := map[[2]int]bool{}
	for run := range strings.SplitSeq(strings.TrimSuffix(path, "z"), "z") {
		// M<x> <y>h<n>v1h-<n>
		x, rest, _ := strings.Cut(run[1:], " ")
		y, rest, _ := strings.Cut(rest, "h")
		n, _, _ := strings.Cut(rest, "v")
		for i := range atoi(t, n) {
			dark[[2]int{atoi(t, x) - 4 + i, atoi(t, y) - 4}] = true
		}
	}
	for y := -4; y < code.Size+4; y++ {
		for x := -4; x < code.Size+4; x++ {
			if dark[[2]int{x, y}] != code.Black(x, y) {
				t.Fatalf("the module at %d, %d is wrong", x, y)
			}
		}
	}
	box, _ := attr(all(root, tag("svg"))[0], "viewBox")
	if size := strconv.Itoa(code.Size + 8); box != "0 0 "+size+" "+size {
		t.Errorf("the box is %q", box)
	}
	if s := render(t, views.QR(strings.Repeat("x", 5000), "")); s != "" {
		t.Errorf("a text that is too long gives %.20q", s)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
