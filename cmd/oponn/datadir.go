package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// dataDir is the directory in which everything is that a server keeps.
type dataDir string

func (d dataDir) database() string   { return filepath.Join(string(d), "oponn.db") }
func (d dataDir) keyFile() string    { return filepath.Join(string(d), "master.key") }
func (d dataDir) secretFile() string { return filepath.Join(string(d), "secret.key") }
func (d dataDir) lockFile() string   { return filepath.Join(string(d), "serve.lock") }

// make makes the directory, for this user alone.
func (d dataDir) make() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("the data directory can't be made: %w", err)
	}
	return nil
}

// errLocked says that another process has the lock.
var errLocked = errors.New("locked")

// lock is the right of one server to a data directory. It ends with the
// process, however that ends.
type lock struct{ file *os.File }

// lock takes the directory, or says who has it.
func (d dataDir) lock() (*lock, error) {
	file, err := os.OpenFile(d.lockFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data directory can't be locked: %w", err)
	}
	if err := lockFile(file); err != nil {
		holder, _ := os.ReadFile(d.lockFile())
		_ = file.Close()
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("the data directory %s can't be locked: %w", d, err)
		}
		return nil, fmt.Errorf("another oponn serve (%s) uses the data directory %s already: stop that one, or set OPONN_DATA_DIR to another directory",
			describe(holder), d)
	}
	return &lock{file}, nil
}

// describe turns what note wrote into words.
func describe(holder []byte) string {
	if text := strings.TrimSpace(string(holder)); text != "" {
		return strings.ReplaceAll(text, "\n", ", ")
	}
	return "which has just started"
}

// note writes down who holds the lock, if there is one, for whoever comes
// second.
func (l *lock) note(addr, opsAddr string) error {
	if l == nil {
		return nil
	}
	text := fmt.Sprintf("pid %d\naddress %s\nops %s\n", os.Getpid(), addr, opsAddr)
	// A reader may come at any time: the text is replaced by one write, and cut
	// to its length afterwards.
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("note who uses the data directory: %w", err)
	}
	if err := l.file.Truncate(int64(len(text))); err != nil {
		return fmt.Errorf("note who uses the data directory: %w", err)
	}
	return nil
}

// release gives the directory back. The file stays: were it removed, two
// servers could lock two files of the same name.
func (l *lock) release() error {
	return errors.Join(l.file.Truncate(0), l.file.Close())
}
