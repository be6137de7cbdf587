package main

import (
	"errors"
	"io"
	"os"
)

// canCountFiles says whether countFiles can count.
const canCountFiles = true

// countFiles returns how many files this process has open. From Linux 6.2 on
// the folder knows it; else its entries are counted.
func countFiles() (int, error) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() > 0 {
		return int(info.Size()), nil
	}
	const some = 1024
	for n := 0; ; {
		names, err := dir.Readdirnames(some)
		n += len(names)
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return 0, err
		}
	}
}
