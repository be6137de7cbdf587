package sqlite

import (
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// walVFS is the name under which the ordinary file system is registered with
// walFiles for write-ahead logs.
const walVFS = "oponn"

func init() {
	vfs.Register(walVFS, files{vfs.Find("").(vfs.VFSFilename)})
}

// files opens write-ahead logs as walFiles.
type files struct{ vfs.VFSFilename }

// OpenFilename implements vfs.VFSFilename.
func (f files) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, out, err := f.VFSFilename.OpenFilename(name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		file = &walFile{File: file}
	}
	return file, out, err
}

// gatherMost is how many bytes of a write-ahead log gather at most.
const gatherMost = 256 << 10

// walFile lets the writes of a COMMIT gather until its Sync. SQLite writes the
// header of a page and the page by calls of their own, one page after the
// other, and votes lie on a page each: so a batch takes a few calls instead of
// a thousand. Nobody looks at a page in the log before the COMMIT that wrote it
// has called Sync, and what is left of one that failed must never be written:
// by then another process may have written there.
type walFile struct {
	vfs.File
	gathering bool
	gathered  []byte
	at        int64 // where in the file that belongs
}

// commit commits a transaction. It relies on synchronous=FULL, with which
// every COMMIT calls Sync.
func (c *connection) commit() error {
	file, err := c.FileControl("main", sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return err
	}
	if wal, ok := file.(*walFile); ok {
		wal.gathering = true
		defer wal.stop()
	}
	return c.exec(commit)
}

// stop ends gathering and forgets what has gathered.
func (f *walFile) stop() { f.gathering, f.gathered = false, f.gathered[:0] }

// flush writes what has gathered.
func (f *walFile) flush() error {
	if len(f.gathered) == 0 {
		return nil
	}
	_, err := f.File.WriteAt(f.gathered, f.at)
	f.gathered = f.gathered[:0]
	return err
}

// WriteAt implements vfs.File.
func (f *walFile) WriteAt(p []byte, at int64) (int, error) {
	if !f.gathering {
		return f.File.WriteAt(p, at)
	}
	if at != f.at+int64(len(f.gathered)) || len(f.gathered)+len(p) > gatherMost {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	if len(f.gathered) == 0 {
		f.at = at
	}
	f.gathered = append(f.gathered, p...)
	return len(p), nil
}

// ReadAt implements vfs.File.
func (f *walFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, at)
}

// Truncate implements vfs.File.
func (f *walFile) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync implements vfs.File.
func (f *walFile) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Size implements vfs.File.
func (f *walFile) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}
