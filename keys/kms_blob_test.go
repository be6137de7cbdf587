package keys

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/oponn/oponn"
)

func TestKMSBlob_ReadsWhatItWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := kmsBlob{ciphertext: rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(t, "ciphertext")}
		if rapid.Bool().Draw(t, "adopted") {
			b.adopted = rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(t, "adopted DEK")
		}
		got, err := readKMSBlob(oponn.BallotID{}, b.bytes())
		if err != nil || !bytes.Equal(got.ciphertext, b.ciphertext) || !bytes.Equal(got.adopted, b.adopted) || (got.adopted == nil) != (b.adopted == nil) {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}

func TestKMSBlob_WhatItReadsIsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blob := append([]byte{byte(rapid.IntRange(0, 3).Draw(t, "format"))}, rapid.SliceOf(rapid.Byte()).Draw(t, "rest")...)
		b, err := readKMSBlob(oponn.BallotID{}, blob)
		if err == nil && (len(b.ciphertext) == 0 || !bytes.Equal(b.bytes(), blob)) {
			t.Fatalf("%x reads as %v, which is written %x", blob, b, b.bytes())
		}
	})
}

func TestKMSBlob_RefusesWhatCannotBeOne(t *testing.T) {
	long := bytes.Repeat([]byte{7}, kmsCiphertextLimit+1)
	for what, blob := range map[string][]byte{
		"nothing":             {},
		"a format alone":      {kmsMade},
		"an unknown format":   {3, 1, 1},
		"a local blob's":      {0, 1, 1},
		"no length":           {kmsAdopted, 0xff},
		"no ciphertext":       {kmsAdopted, 0, 1},
		"no adopted key":      {kmsAdopted, 1, 1},
		"a cut ciphertext":    {kmsAdopted, 9, 1, 1},
		"an overflow":         append([]byte{kmsAdopted}, bytes.Repeat([]byte{0xff}, 12)...),
		"a length of 2 bytes": {kmsAdopted, 0x82, 0, 0x30, 0x30, 0x30},
		"a long ciphertext":   append([]byte{kmsMade}, long...),
		"a long one, adopted": kmsBlob{long, []byte{1}}.bytes(),
	} {
		if b, err := readKMSBlob(oponn.BallotID{}, blob); oponn.CodeOf(err) != oponn.CodeInternal {
			t.Errorf("%s reads as %v, %v", what, b, err)
		}
	}
}

func TestKMSBlob_AnAdoptedKeyIsBoundToItsBallot(t *testing.T) {
	one, two, wrapping := oponn.NewBallotID(), oponn.NewBallotID(), make([]byte, DEKSize)
	aead, err := adoptingAEAD(bytes.Clone(wrapping))
	if err != nil {
		t.Fatal(err)
	}
	b := kmsBlob{[]byte{1}, aead.Seal(nil, nil, []byte("a data key"), kmsAD(one))}
	if got, err := b.open(one, wrapping); err != nil || string(got) != "a data key" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := b.open(two, wrapping); oponn.CodeOf(err) != oponn.CodeInternal {
		t.Errorf("it opens for another ballot: %v", err)
	}
	if _, err := b.open(one, bytes.Repeat([]byte{1}, DEKSize)); oponn.CodeOf(err) != oponn.CodeInternal {
		t.Errorf("it opens under another key: %v", err)
	}
}
