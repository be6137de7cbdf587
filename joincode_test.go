package oponn_test

import (
	"testing"

	"github.com/oponn/oponn"
)

func TestParseJoinCode(t *testing.T) {
	for typed, want := range map[string]oponn.JoinCode{
		"123456": "123456", "123 456": "123456", " 12-34-56 ": "123456", "１２３ ４５６": "123456", "١٢٣٤٥٦": "123456", "۱۲۳۴۵۶": "123456",
		"": "", "12345": "", "1234567": "", "012345": "", "12345a": "", "123.456": "", "１２３４５": "", "123456\x00": "",
	} {
		code, err := oponn.ParseJoinCode(typed)
		if code != want || (err == nil) != (want != "") || err != nil && oponn.CodeOf(err) != oponn.CodeNotFound {
			t.Errorf("%q: got %q, %v", typed, code, err)
		}
	}
	if got := oponn.JoinCode("123456").String(); got != "123 456" {
		t.Errorf("written as %q", got)
	}
}

func TestNewJoinCodes(t *testing.T) {
	seen := make(map[oponn.JoinCode]bool)
	for _, code := range oponn.NewJoinCodes(1000) {
		if parsed, err := oponn.ParseJoinCode(code.String()); err != nil || parsed != code {
			t.Fatalf("%q: %q, %v", code, parsed, err)
		}
		seen[code] = true
	}
	if len(seen) < 990 {
		t.Errorf("of 1,000 codes %d differ", len(seen))
	}
}
