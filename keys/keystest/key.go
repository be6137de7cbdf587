package keystest

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/oponn/oponn"
)

func sealRoundtrip(t *testing.T, s suite) {
	_, _, key := s.create(t)
	for _, field := range []oponn.Field{oponn.FieldDefinition, oponn.FieldState, oponn.FieldChoice, oponn.FieldWriteIn} {
		for _, size := range []int{0, 1, 15, 16, 17, 1000, 100_000} {
			text := bytes.Repeat([]byte{7}, size)
			wantOpens(t, key, key.Seal(nil, text, field), text, field)
			wantOpens(t, key, key.Seal(nil, text, field, []byte("a")), text, field, []byte("a"))
			wantOpens(t, key, key.Seal(nil, text, field, nil, text), text, field, nil, text)
		}
	}
}

func sealAppends(t *testing.T, s suite) {
	_, _, key := s.create(t)
	text := []byte("Tea or coffee?")
	for _, room := range []int{0, 1, 500} {
		dst := append(make([]byte, 0, 6+room), "before"...)
		sealed := key.Seal(dst, text, oponn.FieldState)
		rest, ok := bytes.CutPrefix(sealed, []byte("before"))
		if !ok {
			t.Fatalf("Seal changed what was in dst: %q", sealed[:6])
		}
		got, err := key.Open(append(make([]byte, 0, 6+room), "before"...), rest, oponn.FieldState)
		if err != nil || string(got) != "before"+string(text) {
			t.Errorf("Open appends to %q, %v", got, err)
		}
	}
}

func sealLength(t *testing.T, s suite) {
	ballot, wrapped, key := s.create(t)
	overhead := len(key.Seal(nil, nil, oponn.FieldChoice))
	for _, key := range []oponn.Key{key, s.open(t, ballot, wrapped)} {
		for size := range 70 {
			one := key.Seal(nil, make([]byte, size), oponn.FieldChoice, []byte("tag"))
			two := key.Seal(nil, bytes.Repeat([]byte{255}, size), oponn.FieldState)
			if len(one) != len(two) || len(one) != size+overhead {
				t.Errorf("%d bytes seal to %d and to %d, with an overhead of %d", size, len(one), len(two), overhead)
			}
		}
	}
}

func sealNeverTheSame(t *testing.T, s suite) {
	_, _, key := s.create(t)
	seen := make(map[string]bool)
	for range 1000 {
		seen[string(key.Seal(nil, []byte("yes"), oponn.FieldChoice))] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 seals of one text gave %d values", len(seen))
	}
}

func sealOpensNowhereElse(t *testing.T, s suite) {
	_, _, key := s.create(t)
	_, _, other := s.create(t)
	a, b := []byte("a"), []byte("b")
	sealed := key.Seal(nil, []byte("x"), oponn.FieldChoice, a, b)
	for _, test := range []struct {
		what     string
		key      oponn.Key
		field    oponn.Field
		bindings [][]byte
	}{
		{"another ballot", other, oponn.FieldChoice, [][]byte{a, b}},
		{"another field", key, oponn.FieldState, [][]byte{a, b}},
		{"no field", key, "", [][]byte{a, b}},
		{"another binding", key, oponn.FieldChoice, [][]byte{a, a}},
		{"bindings in another order", key, oponn.FieldChoice, [][]byte{b, a}},
		{"no binding", key, oponn.FieldChoice, nil},
		{"one binding fewer", key, oponn.FieldChoice, [][]byte{a}},
		{"one binding more", key, oponn.FieldChoice, [][]byte{a, b, nil}},
	} {
		got, err := test.key.Open([]byte("before"), sealed, test.field, test.bindings...)
		wantCode(t, test.what, err, oponn.CodeInternal)
		if got != nil {
			t.Errorf("%s: got %q with the error", test.what, got)
		}
	}
	wantOpens(t, key, sealed, []byte("x"), oponn.FieldChoice, a, b)
}

// sealBindings: parts that spell the same when they are joined are different.
func sealBindings(t *testing.T, s suite) {
	_, _, key := s.create(t)
	lists := [][][]byte{
		{}, {{}}, {{}, {}}, {[]byte("ab")}, {[]byte("a"), []byte("b")}, {{}, []byte("ab")}, {[]byte("ab"), {}},
		{{1, 'a'}}, {{0}}, {{0, 0}}, {{0}, {}}, {bytes.Repeat([]byte{1}, 200)}, {bytes.Repeat([]byte{1}, 100), bytes.Repeat([]byte{1}, 100)},
	}
	for i, sealedWith := range lists {
		sealed := key.Seal(nil, []byte("x"), oponn.FieldChoice, sealedWith...)
		for j, openedWith := range lists {
			if _, err := key.Open(nil, sealed, oponn.FieldChoice, openedWith...); (err == nil) != (i == j) {
				t.Errorf("sealed with %q, opened with %q: %v", sealedWith, openedWith, err)
			}
		}
	}
	sealed := key.Seal(nil, []byte("x"), "ab", []byte("c"))
	_, err := key.Open(nil, sealed, "a", []byte("bc"))
	wantCode(t, "a field that runs into its binding", err, oponn.CodeInternal)
}

func sealRefusesDamage(t *testing.T, s suite) {
	_, _, key := s.create(t)
	sealed := key.Seal(nil, []byte("Tea or coffee?"), oponn.FieldDefinition)
	for bit := range 8 * len(sealed) {
		_, err := key.Open(nil, flipped(sealed, bit), oponn.FieldDefinition)
		wantCode(t, "a flipped bit", err, oponn.CodeInternal)
	}
	for size := range sealed {
		_, err := key.Open(nil, sealed[:size], oponn.FieldDefinition)
		wantCode(t, "a value cut short", err, oponn.CodeInternal)
	}
	_, err := key.Open(nil, append(bytes.Clone(sealed), 0), oponn.FieldDefinition)
	wantCode(t, "a value with a byte more", err, oponn.CodeInternal)
}

func voterTags(t *testing.T, s suite) {
	_, _, one := s.create(t)
	_, _, two := s.create(t)
	seen := make(map[oponn.VoterTag]bool)
	for range 100 {
		voter := oponn.NewVoterID()
		for _, key := range []oponn.Key{one, two} {
			tag := key.VoterTag(voter)
			if tag != key.VoterTag(voter) {
				t.Error("a voter has two tags on one ballot")
			}
			if tag == oponn.VoterTag(voter) || seen[tag] {
				t.Error("a tag is the voter's id, or another's tag")
			}
			seen[tag] = true
		}
	}
}

func writeInIDs(t *testing.T, s suite) {
	_, _, one := s.create(t)
	_, _, two := s.create(t)
	form := regexp.MustCompile(`^w[A-Za-z0-9_-]{11}$`)
	seen := make(map[oponn.OptionID]bool)
	for _, fold := range []string{"", "a", "b", "ab", "mate", "maté", strings.Repeat("long ", 1000)} {
		for _, key := range []oponn.Key{one, two} {
			id := key.WriteInID(fold)
			if id != key.WriteInID(fold) {
				t.Errorf("%q has two ids on one ballot", fold)
			}
			if !form.MatchString(string(id)) {
				t.Errorf("%q has the id %q", fold, id)
			}
			if seen[id] {
				t.Errorf("%q has the id of another", fold)
			}
			seen[id] = true
		}
	}
}
