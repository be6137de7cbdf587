package views

import (
	"strconv"
	"strings"

	"rsc.io/qr"
)

// quietZone is how many light modules a QR code needs around it (ISO/IEC
// 18004).
const quietZone = 4

// qrPath returns the dark modules of a QR code of the text as one SVG path,
// and the width of the code with its quiet zone in modules. A text that is too
// long gives an empty path.
func qrPath(text string) (path string, size int) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", 0
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			if !code.Black(x, y) {
				continue
			}
			// One rectangle for each run of dark modules in a line.
			from := x
			for x+1 < code.Size && code.Black(x+1, y) {
				x++
			}
			n := strconv.Itoa(x + 1 - from)
			b.WriteString("M" + strconv.Itoa(from+quietZone) + " " + strconv.Itoa(y+quietZone) + "h" + n + "v1h-" + n + "z")
		}
	}
	return b.String(), code.Size + 2*quietZone
}
