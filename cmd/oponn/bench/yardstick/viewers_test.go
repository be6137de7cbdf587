package yardstick

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// The client that watches: a process of its own, driven by lines of JSON. It
// reads the descriptors itself, in a loop per processor, so that ten thousand
// viewers cost little more than the kernel's part.

// order is a command to it.
type order struct {
	Op     string // connect, reset, report, await, leave
	Addr   string
	Path   string
	Count  int
	Source string // address to connect from; the last byte rises with every 10,000
	Mark   string // what stands before a frame's number
	Mute   bool   // never read
	Number uint64 // of await
}

// tidings are its answer.
type tidings struct {
	Error     string
	Connected int
	Frames    uint64 // with a number
	Lost      int    // viewers whose stream has ended
	Backward  int    // numbers that fell
	Arrivals  map[uint64]*arrivals
	Last      int64 // of await: when the last viewer had it, in Unix nanoseconds
}

// arrivals are those of one frame at all viewers.
type arrivals struct {
	First, Last int64    // Unix nanoseconds
	After       []uint32 // how many came so many ms after the first
}

// viewer is one stream.
type viewer struct {
	fd     int
	headed bool
	seen   uint64
	carry  []byte
}

// loop reads the streams of one epoll descriptor.
type loop struct {
	mu       sync.Mutex
	fd       int
	viewers  []*viewer // by descriptor
	count    int
	mark     []byte
	headed   chan struct{}
	frames   uint64
	lost     int
	backward int
	arrivals map[uint64]*arrivals
	latest   uint64 // the number in arrivals that was looked up last
	its      *arrivals
	changed  chan struct{}
}

func runViewers() error {
	loops := make([]*loop, 1)
	headed := make(chan struct{}, 1<<16)
	for i := range loops {
		fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return err
		}
		loops[i] = &loop{fd: fd, headed: headed, arrivals: map[uint64]*arrivals{}, changed: make(chan struct{}, 1)}
		go loops[i].run()
	}
	var mutes []int
	orders := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for orders.Scan() {
		var o order
		if err := json.Unmarshal(orders.Bytes(), &o); err != nil {
			return err
		}
		var t tidings
		var err error
		switch o.Op {
		case "connect":
			var muted []int
			muted, err = connect(loops, o, headed)
			mutes = append(mutes, muted...)
			t.Connected = o.Count
		case "reset":
			for _, l := range loops {
				l.reset()
			}
		case "report":
			t = report(loops)
		case "await":
			t.Last = awaitAll(loops, o.Number)
		case "leave":
			for _, l := range loops {
				l.leave()
			}
			for _, fd := range mutes {
				_ = syscall.Close(fd)
			}
			mutes = nil
		}
		if err != nil {
			t.Error = err.Error()
		}
		if err := answers.Encode(t); err != nil {
			return err
		}
	}
	return orders.Err()
}

// connect opens streams, at most 256 of them unanswered at a moment.
func connect(loops []*loop, o order, headed <-chan struct{}) (mutes []int, err error) {
	to, err := netip.ParseAddrPort(o.Addr)
	if err != nil {
		return nil, err
	}
	if o.Source == "" {
		o.Source = "127.0.0.1"
	}
	from, err := netip.ParseAddr(o.Source)
	if err != nil {
		return nil, err
	}
	request := []byte("GET " + o.Path + " HTTP/1.1\r\nHost: " + o.Addr + "\r\nAccept: text/event-stream\r\n\r\n")
	waiting := 0
	for i := range o.Count {
		source := from.As4()
		source[3] += byte(i / 10_000)
		fd, err := dial(to, source, o.Mute)
		if err != nil {
			return mutes, fmt.Errorf("viewer %d: %w", i, err)
		}
		if _, err := syscall.Write(fd, request); err != nil {
			return mutes, fmt.Errorf("viewer %d: %w", i, err)
		}
		if o.Mute {
			mutes = append(mutes, fd)
			continue
		}
		if err := loops[i%len(loops)].add(fd, o.Mark); err != nil {
			return mutes, err
		}
		if waiting++; waiting > 256 {
			if err := answered(headed); err != nil {
				return mutes, err
			}
			waiting--
		}
	}
	for ; waiting > 0; waiting-- {
		if err := answered(headed); err != nil {
			return mutes, err
		}
	}
	return mutes, nil
}

func answered(headed <-chan struct{}) error {
	select {
	case <-headed:
		return nil
	case <-time.After(patience):
		return errors.New("a stream was not answered")
	}
}

func dial(to netip.AddrPort, from [4]byte, mute bool) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, 24, 1) // IP_BIND_ADDRESS_NO_PORT
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: from}); err != nil {
		return 0, err
	}
	if mute { // soon full
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
		return 0, err
	}
	return fd, nil
}

func (l *loop) add(fd int, mark string) error {
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	l.mu.Lock()
	l.mark = []byte(mark)
	for fd >= len(l.viewers) {
		l.viewers = append(l.viewers, nil)
	}
	l.viewers[fd] = &viewer{fd: fd}
	l.count++
	l.mu.Unlock()
	return syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN | 1<<31, Fd: int32(fd)})
}

// run reads what comes, for ever.
func (l *loop) run() {
	runtime.LockOSThread()
	events := make([]syscall.EpollEvent, 512)
	buffer := make([]byte, 64<<10)
	for {
		n, err := syscall.EpollWait(l.fd, events, -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			panic(err)
		}
		now := time.Now().UnixNano()
		l.mu.Lock()
		for i, e := range events[:n] {
			if i%64 == 63 {
				now = time.Now().UnixNano()
			}
			if v := l.viewers[e.Fd]; v != nil {
				l.read(v, buffer, now)
			}
		}
		l.mu.Unlock()
		select {
		case l.changed <- struct{}{}:
		default:
		}
	}
}

// read takes what has come. Edge-triggered, it is told once: what doesn't fit
// the buffer comes with the next frame.
func (l *loop) read(v *viewer, buffer []byte, now int64) {
	held := copy(buffer, v.carry)
	n, err := syscall.Read(v.fd, buffer[held:])
	if n <= 0 {
		if !errors.Is(err, syscall.EAGAIN) {
			l.lost++
			l.drop(v)
		}
		return
	}
	rest := buffer[:held+n]
	if !v.headed {
		end := bytes.Index(rest, []byte("\r\n\r\n"))
		if end < 0 {
			v.carry = bytes.Clone(rest)
			return
		}
		if !bytes.HasPrefix(rest, []byte("HTTP/1.1 200 ")) {
			panic(fmt.Sprintf("the answer is %.200s", rest))
		}
		v.headed, rest = true, rest[end+4:]
		l.headed <- struct{}{}
	}
	for {
		end := bytes.Index(rest, []byte("\n\n"))
		if end < 0 {
			break
		}
		l.event(v, rest[:end], now)
		rest = rest[end+2:]
	}
	v.carry = nil
	if len(rest) > 0 {
		v.carry = bytes.Clone(rest)
	}
}

// event notes a frame, if it has a number.
func (l *loop) event(v *viewer, event []byte, now int64) {
	at := bytes.Index(event[:min(len(event), 96)], l.mark)
	if at < 0 {
		return
	}
	number := uint64(0)
	for _, c := range event[at+len(l.mark):] {
		if c < '0' || c > '9' {
			break
		}
		number = number*10 + uint64(c-'0')
	}
	l.frames++
	if number < v.seen {
		l.backward++
	}
	v.seen = number
	if l.its == nil || number != l.latest {
		if l.arrivals[number] == nil {
			l.arrivals[number] = &arrivals{First: now}
		}
		l.latest, l.its = number, l.arrivals[number]
	}
	a := l.its
	a.Last = now
	a.add(int((now-a.First)/int64(time.Millisecond)), 1)
}

// add notes that n came so many ms after the first; what is later than ten
// seconds counts as ten seconds.
func (a *arrivals) add(after int, n uint32) {
	after = min(after, 10_000)
	if missing := after + 1 - len(a.After); missing > 0 {
		a.After = append(a.After, make([]uint32, missing)...)
	}
	a.After[after] += n
}

func (l *loop) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames, l.its, l.arrivals = 0, nil, map[uint64]*arrivals{}
}

func (l *loop) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.viewers {
		if v != nil {
			l.drop(v)
		}
	}
}

func (l *loop) drop(v *viewer) {
	l.viewers[v.fd] = nil
	l.count--
	_ = syscall.Close(v.fd)
}

func report(loops []*loop) tidings {
	t := tidings{Arrivals: map[uint64]*arrivals{}}
	for _, l := range loops {
		l.mu.Lock()
		t.Frames += l.frames
		t.Lost += l.lost
		t.Backward += l.backward
		t.Connected += l.count
		for number, a := range l.arrivals {
			t.Arrivals[number] = a.merge(t.Arrivals[number])
		}
		l.mu.Unlock()
	}
	return t
}

// merge adds up two counts of one frame's arrivals.
func (a *arrivals) merge(b *arrivals) *arrivals {
	sum := &arrivals{First: a.First, Last: a.Last}
	if b != nil {
		sum.First, sum.Last = min(a.First, b.First), max(a.Last, b.Last)
	}
	for _, one := range []*arrivals{a, b} {
		if one != nil {
			shift := int((one.First - sum.First) / int64(time.Millisecond))
			for after, n := range one.After {
				sum.add(after+shift, n)
			}
		}
	}
	return sum
}

// awaitAll waits until every viewer has seen the number, and returns when the
// last one had; zero when that does not come.
func awaitAll(loops []*loop, number uint64) (last int64) {
	late := time.After(patience)
	for _, l := range loops {
		for {
			l.mu.Lock()
			all := true
			for _, v := range l.viewers {
				all = all && (v == nil || v.seen >= number)
			}
			for n, a := range l.arrivals {
				if n >= number {
					last = max(last, a.Last)
				}
			}
			l.mu.Unlock()
			if all {
				break
			}
			select {
			case <-l.changed:
			case <-late:
				return 0
			}
		}
	}
	return last
}
