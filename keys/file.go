package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// fileKind is what a secret file holds. On disk it is one line of comment and
// one of the form "<name> <base64 of 32 bytes>".
type fileKind struct{ name, comment string }

var (
	kekFile = fileKind{"oponn-kek-v1",
		"The master key of an Oponn server: without it no ballot can be read. Back it up, show it to nobody."}
	secretFile = fileKind{"oponn-secret-v1",
		"The secret with which an Oponn server signs its cookies. Show it to nobody."}
)

const (
	fileSecretSize = 32   // bytes of a file's secret
	fileSizeLimit  = 4096 // bytes of a file that are looked at
)

// openFile reads the secret at path, or makes it when there is none.
func openFile(path string, kind fileKind) ([]byte, error) {
	secret, err := readFile(path, kind)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeFile(path, kind); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("keys: making %s: %w", path, err)
	}
	return readFile(path, kind) // ours, or that of who came first
}

// readFile reads the secret at path. It asks the open file for its mode, so
// that what it checks is what it reads.
func readFile(path string, kind fileKind) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err) // names the path
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("keys: %s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("keys: %s may be touched by others (mode %#o); run: chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, fileSizeLimit))
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	defer clear(text)
	secret, ok := kind.parse(text)
	if !ok {
		return nil, fmt.Errorf("keys: %s is damaged or of another kind (want a line %q with the base64 of %d bytes); "+
			"restore it from a backup; only if nothing depends on it, remove it, and a new one is made", path, kind.name, fileSecretSize)
	}
	return secret, nil
}

// makeFile puts a fresh secret at path, whole or not at all: it writes a file
// of another name and links it. Where the path exists by then, the error is
// fs.ErrExist, and what is there stays.
func makeFile(path string, kind fileKind) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+kind.name+"-*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	text := kind.format()
	defer clear(text)
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	linked := os.Link(f.Name(), path)
	if linked != nil && !errors.Is(linked, fs.ErrExist) {
		return linked
	}
	// Also when another process was first: it may not have got this far yet, and
	// a ballot must not outlive the key that it was wrapped with.
	return errors.Join(linked, syncDir(dir))
}

// format returns the text of a file with a fresh secret.
func (k fileKind) format() []byte {
	var secret [fileSecretSize]byte
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand aborts the process instead
	defer clear(secret[:])
	text := fmt.Appendf(nil, "# %s\n%s ", k.comment, k.name)
	return append(base64.StdEncoding.AppendEncode(text, secret[:]), '\n')
}

// parse returns the secret of a file's text. Comments and empty lines may be
// anywhere; there is exactly one other line.
func (k fileKind) parse(text []byte) (secret []byte, ok bool) {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || bytes.HasPrefix(fields[0], []byte("#")) {
			continue
		}
		if secret != nil || len(fields) != 2 || string(fields[0]) != k.name {
			return nil, false
		}
		var err error
		secret, err = base64.StdEncoding.Strict().AppendDecode(nil, fields[1])
		if err != nil || len(secret) != fileSecretSize {
			return nil, false
		}
	}
	return secret, secret != nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
