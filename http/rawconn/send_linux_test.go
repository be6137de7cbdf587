package rawconn_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/oponn/oponn/http/rawconn"
)

func TestSend(t *testing.T) {
	ours, theirs := pair(t)
	raw, err := rawconn.Under(ours).(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	send := func(b []byte) (n int, err error) {
		if failed := raw.Control(func(fd uintptr) { n, err = rawconn.Send(int(fd), b) }); failed != nil {
			t.Fatal(failed)
		}
		return n, err
	}
	if n, err := send([]byte("vote")); n != 4 || err != nil {
		t.Errorf("sent %d, %v", n, err)
	}
	if n, err := send(nil); n != 0 || err != nil {
		t.Errorf("of nothing %d were sent, %v", n, err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(theirs, got); string(got) != "vote" || err != nil {
		t.Errorf("%q came, %v", got, err)
	}
	for err == nil {
		var n int
		if n, err = send(make([]byte, 1<<20)); err == nil && n == 0 {
			t.Fatal("nothing was sent")
		}
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("to a full socket: %v", err)
	}
	theirs.SetLinger(0)
	theirs.Close()
	ours.Read(got) // the reset is here
	if _, err := send(got); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("after the peer has reset: %v", err)
	}
}
