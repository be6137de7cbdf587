package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hugeKB returns how much of this process's memory is on huge pages.
func hugeKB(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`AnonHugePages:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no word about huge pages in %q", text)
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kb
}

// collapses says whether this system puts memory on huge pages when it is asked.
func collapses(t *testing.T) bool {
	t.Helper()
	memory, err := unix.Mmap(-1, 0, 2*hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Munmap(memory); err != nil {
			t.Error(err)
		}
	}()
	for i := range memory {
		memory[i] = 1
	}
	return unix.Madvise(memory, unix.MADV_COLLAPSE) == nil
}

func TestMove(t *testing.T) {
	possible := collapses(t)
	heap := make([]byte, 16*hugePage)
	for i := range heap {
		heap[i] = byte(i % 251)
	}
	before := hugeKB(t)
	var m mover
	if m.move(-time.Second, 100) || m.move(time.Minute, 0) {
		t.Error("without time, or pages, nothing is said to be left to do")
	}
	if got := hugeKB(t); got != before {
		t.Errorf("without time: %d KB on huge pages, %d before", got, before)
	}
	for turns := 1; ; turns++ {
		if m.move(time.Minute, 3); m == (mover{}) {
			break // it begins anew
		}
		if turns > 1000 {
			t.Fatalf("there is no end of it: %+v", m)
		}
	}
	if got := hugeKB(t); possible && got < 8*hugePage>>10 {
		t.Errorf("%d KB on huge pages, %d before", got, before)
	}
	for i := range heap {
		if heap[i] != byte(i%251) {
			t.Fatalf("byte %d is %d now", i, heap[i])
		}
	}
}

func TestHeapMapping(t *testing.T) {
	from, to := heapMapping()
	if from == 0 || to-from < 1<<20 {
		t.Errorf("from %x to %x", from, to)
	}
	if got := heapInUse(); got < 1<<20 || got > 64<<30 {
		t.Errorf("%d bytes in use", got)
	}
}
