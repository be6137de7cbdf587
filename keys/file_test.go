package keys_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/oponn/oponn/keys"
)

// opener opens one kind of file and returns something that tells its content.
type opener struct {
	line string
	open func(path string) (string, error)
}

var openers = map[string]opener{
	"OpenLocal": {"oponn-kek-v1", func(path string) (string, error) {
		kek, err := keys.OpenLocal(path)
		if err != nil {
			return "", err
		}
		return kek.ID(), nil
	}},
	"OpenSecret": {"oponn-secret-v1", func(path string) (string, error) {
		secret, err := keys.OpenSecret(path)
		return string(secret), err
	}},
}

func eachOpener(t *testing.T, test func(t *testing.T, o opener)) {
	t.Helper()
	for name, o := range openers {
		t.Run(name, func(t *testing.T) { test(t, o) })
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %#o, want %#o", path, got, want)
	}
}

func TestFile_IsMadeOnFirstStartAndKept(t *testing.T) {
	eachOpener(t, func(t *testing.T, o opener) {
		dir := filepath.Join(t.TempDir(), "a", "b")
		path := filepath.Join(dir, "file")
		first, err := o.open(path)
		if err != nil {
			t.Fatal(err)
		}
		wantMode(t, path, 0o600)
		wantMode(t, dir, 0o700)
		wantMode(t, filepath.Dir(dir), 0o700)
		second, err := o.open(path)
		if err != nil || second != first {
			t.Errorf("the second start does not find what the first made: %v", err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("the directory holds %v, %v; want the file alone", entries, err)
		}
		text, err := os.ReadFile(path)
		if err != nil || text[0] != '#' || !bytes.Contains(text, []byte("\n"+o.line+" ")) || !bytes.HasSuffix(text, []byte("=\n")) {
			t.Errorf("the file has an unexpected form (%d bytes), %v", len(text), err)
		}
		other, err := o.open(filepath.Join(dir, "other"))
		if err != nil || other == first {
			t.Errorf("two files hold one secret, %v", err)
		}
	})
}

func TestOpenSecret_Returns32Bytes(t *testing.T) {
	secret, err := keys.OpenSecret(filepath.Join(t.TempDir(), "secret"))
	if err != nil || len(secret) != 32 || bytes.Equal(secret, make([]byte, 32)) {
		t.Errorf("got %d bytes, %v", len(secret), err)
	}
}

func TestFile_RacingFirstStartsAgree(t *testing.T) {
	eachOpener(t, func(t *testing.T, o opener) {
		for range 20 {
			dir := filepath.Join(t.TempDir(), "data")
			found := make([]string, 8)
			start := make(chan struct{})
			var all sync.WaitGroup
			for i := range found {
				all.Go(func() {
					<-start
					var err error
					if found[i], err = o.open(filepath.Join(dir, "file")); err != nil {
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			for _, f := range found {
				if f == "" || f != found[0] {
					t.Fatal("two starts have different secrets")
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Fatalf("the directory holds %v, %v; want the file alone", entries, err)
			}
		}
	})
}

func TestFile_OthersMayNotTouchIt(t *testing.T) {
	eachOpener(t, func(t *testing.T, o opener) {
		path := filepath.Join(t.TempDir(), "file")
		if _, err := o.open(path); err != nil {
			t.Fatal(err)
		}
		for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777, 0o440} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			_, err := o.open(path)
			if err == nil {
				t.Errorf("mode %#o: the file was read", mode)
				continue
			}
			for _, part := range []string{path, fmt.Sprintf("%#o", mode), "chmod 600 " + path} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("mode %#o: %q does not say %q", mode, err, part)
				}
			}
			wantMode(t, path, mode) // it is the owner's to mend
		}
		for _, mode := range []os.FileMode{0o600, 0o400, 0o700} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := o.open(path); err != nil {
				t.Errorf("mode %#o: %v", mode, err)
			}
		}
	})
}

func TestFile_MalformedIsRefusedAndLeftAlone(t *testing.T) {
	secret := bytes.Repeat([]byte{0xa5}, 32)
	text := base64.StdEncoding.EncodeToString(secret)
	eachOpener(t, func(t *testing.T, o opener) {
		for what, content := range map[string]string{
			"empty":            "",
			"comment only":     "# nothing\n",
			"no name":          text + "\n",
			"no secret":        o.line + "\n",
			"another kind":     "oponn-other-v1 " + text + "\n",
			"another version":  strings.TrimSuffix(o.line, "1") + "2 " + text + "\n",
			"cut":              o.line + " " + text[:20] + "\n",
			"short":            o.line + " " + base64.StdEncoding.EncodeToString(secret[:31]) + "\n",
			"long":             o.line + " " + base64.StdEncoding.EncodeToString(append(secret, 1)) + "\n",
			"not base64":       o.line + " " + strings.Repeat("!", 44) + "\n",
			"loose bits":       o.line + " " + text[:42] + "V=\n",
			"two secrets":      o.line + " " + text + "\n" + o.line + " " + text + "\n",
			"more in the line": o.line + " " + text + " x\n",
			"too far down":     strings.Repeat("#\n", 4096) + o.line + " " + text + "\n",
		} {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := o.open(path)
			switch {
			case err == nil:
				t.Errorf("%s: the file was read", what)
			case !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup"):
				t.Errorf("%s: %q names neither path nor fix", what, err)
			case strings.Contains(err.Error(), text[:20]):
				t.Errorf("%s: %q shows the secret", what, err)
			}
			if left, err := os.ReadFile(path); err != nil || string(left) != content {
				t.Errorf("%s: the file was changed, %v", what, err)
			}
		}
	})
}

func TestFile_MayCarryCommentsAndOtherLineEnds(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xa5}, 32))
	eachOpener(t, func(t *testing.T, o opener) {
		var found []string
		for _, content := range []string{
			o.line + " " + text,
			"\r\n# a comment\r\n" + o.line + " " + text + "\r\n",
			"  # mine\n\n\t" + o.line + "\t" + text + "  \n# more\n",
		} {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := o.open(path)
			if err != nil {
				t.Errorf("%q: %v", content, err)
			}
			found = append(found, got)
		}
		if found[0] != found[1] || found[1] != found[2] {
			t.Error("the same secret reads differently")
		}
	})
}

func TestFile_KindsAreNotMixed(t *testing.T) {
	dir := t.TempDir()
	for name, o := range openers {
		if _, err := o.open(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keys.OpenLocal(filepath.Join(dir, "OpenSecret")); err == nil {
		t.Error("a cookie secret was taken for a master key")
	}
	if _, err := keys.OpenSecret(filepath.Join(dir, "OpenLocal")); err == nil {
		t.Error("a master key was taken for a cookie secret")
	}
}

func TestFile_PathMustLeadToAFile(t *testing.T) {
	eachOpener(t, func(t *testing.T, o opener) {
		dir := t.TempDir()
		file := filepath.Join(dir, "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{dir, filepath.Join(file, "below")} {
			if _, err := o.open(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: got %v", path, err)
			}
		}
	})
}
