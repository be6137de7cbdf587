package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"runtime/metrics"
	"time"

	"golang.org/x/sys/unix"
)

// hugePage is the size of huge pages where ordinary ones have 4 KB, in bytes.
const hugePage = 2 << 20

// hardlyAny is what asking for a huge page takes where there is one.
const hardlyAny = 50 * time.Microsecond

// mover puts the heap on huge pages, as far as it is in use. Its zero value
// begins with the first page.
type mover struct {
	next        uintptr // page
	seen, moved int     // pages of this round
}

// move goes on for a time, until it has moved that many pages or it is through,
// and says whether hardly any was left to move in this round. It takes a tenth of
// a processor, with pauses after each page; what is on huge pages already takes
// next to none, but has each processor put away what it has at hand. A vote
// touches memory all over the heap, and on ordinary pages, of which the
// processor remembers only some megabytes, an eighth of its time goes into
// finding it.
//
// The memory is not more for it: Go takes the lowest pages first, so that those
// in use are side by side. Whatever Go gives back stops being huge by itself.
// See MADV_COLLAPSE in madvise(2), which Linux has since 6.1. Where it refuses,
// or somebody touches the memory just then, that stays as it is.
func (m *mover) move(within time.Duration, most int) (settled bool) {
	end := time.Now().Add(within)
	from, to := heapMapping()
	to = min(to, from+heapInUse())
	for page := max((from+hugePage-1)&^(hugePage-1), m.next); page+hugePage <= to; page += hugePage {
		begin := time.Now()
		if begin.After(end) || most == 0 {
			m.next = page
			return false
		}
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, page, hugePage, unix.MADV_COLLAPSE)
		m.seen++
		if took := time.Since(begin); took > hardlyAny {
			m.moved++
			most--
			time.Sleep(9 * took)
		}
	}
	settled = m.moved <= m.seen/16 // one that was interrupted seems to have been moved
	*m = mover{}
	return settled
}

// heapMapping returns where the part of the heap lies that the process began
// with; nowhere when that can't be found out.
func heapMapping() (from, to uintptr) {
	object := reflect.ValueOf(new(byte)).Pointer()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0, 0
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); err == nil && from <= object && object < to {
			return from, to
		}
	}
	return 0, 0
}

// heapInUse returns how many bytes of the heap's mapping hold objects, stacks or
// what may soon.
func heapInUse() (bytes uintptr) {
	sample := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"},
	}
	metrics.Read(sample)
	for _, s := range sample {
		bytes += uintptr(s.Value.Uint64())
	}
	return bytes
}
