package procstat

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, the same on all
// architectures that Go runs on.
const clockTick = 10 * time.Millisecond

// Read returns what a process and its descendants use. The kernel goes through
// all of their pages for it, which takes it some milliseconds in which neither
// they nor others go on: not for the middle of a measurement.
func Read(pid int) (Usage, error) {
	root, err := readStat(pid)
	if err != nil {
		return Usage{}, fmt.Errorf("procstat: no process %d: %w", pid, err)
	}
	u := Usage{Name: root.name}
	for _, p := range family(root) {
		u.CPU += p.cpu
		u.Memory += memory(p.pid)
		u.Anonymous += anonymous(p.pid)
	}
	return u, nil
}

// Anonymous returns the anonymous memory of a process and its descendants, in
// bytes. The kernel has that at hand.
func Anonymous(pid int) (int64, error) {
	root, err := readStat(pid)
	if err != nil {
		return 0, fmt.Errorf("procstat: no process %d: %w", pid, err)
	}
	var sum int64
	for _, p := range family(root) {
		sum += anonymous(p.pid)
	}
	return sum, nil
}

type stat struct {
	pid, parent int
	name        string
	cpu         time.Duration
}

// family returns a process and all its descendants.
func family(root stat) []stat {
	children := map[int][]stat{}
	entries, _ := os.ReadDir("/proc") // without it there are no children to see
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			if s, err := readStat(n); err == nil {
				children[s.parent] = append(children[s.parent], s)
			}
		}
	}
	found := []stat{root}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return stat{}, os.ErrInvalid
	}
	fields := bytes.Fields(b[end+1:])
	if len(fields) < 15 {
		return stat{}, os.ErrInvalid
	}
	s := stat{pid: pid, name: string(b[open+1 : end])}
	s.parent, _ = strconv.Atoi(string(fields[1]))
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, _ := strconv.ParseInt(string(f), 10, 64)
		s.cpu += time.Duration(ticks) * clockTick
	}
	return s, nil
}

// memory returns the proportional share of what resides, or what resides where
// that is not told.
func memory(pid int) int64 {
	dir := "/proc/" + strconv.Itoa(pid)
	if n := kilobytes(dir+"/smaps_rollup", "Pss:"); n > 0 {
		return n
	}
	return kilobytes(dir+"/status", "VmRSS:")
}

func anonymous(pid int) int64 { return kilobytes("/proc/"+strconv.Itoa(pid)+"/status", "RssAnon:") }

func kilobytes(file, field string) int64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(field)); ok {
			if words := bytes.Fields(rest); len(words) > 0 {
				n, _ := strconv.ParseInt(string(words[0]), 10, 64)
				return n << 10
			}
		}
	}
	return 0
}

// Self returns the CPU time of this process, to the microsecond.
func Self() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// OpenFiles returns how many files this process may have open.
func OpenFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(limit.Cur, 1<<20))
}
