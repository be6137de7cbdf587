package rawconn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/oponn/oponn/http/rawconn"
)

// connect returns two ends of a connection over loopback.
func connect() (here, there net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if here, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if there, err = l.Accept(); err != nil {
		return nil, nil, errors.Join(err, here.Close())
	}
	return here, there, nil
}

// pair returns a connection of ours, and its peer.
func pair(t *testing.T) (ours net.Conn, theirs *net.TCPConn) {
	t.Helper()
	here, there, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return rawconn.Over(here), there.(*net.TCPConn)
}

func TestOver_IsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		here, there, err := connect()
		if err != nil {
			return nil, nil, nil, err
		}
		return rawconn.Over(here), rawconn.Over(there), func() { here.Close(); there.Close() }, nil
	})
}

func TestOver_LargeWrites(t *testing.T) {
	ours, theirs := pair(t)
	sent := bytes.Repeat([]byte("0123456789abcde\n"), 1<<18) // 4 MB: more than a socket takes
	go func() {
		if n, err := ours.Write(sent); n != len(sent) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		ours.Close()
	}()
	if got, err := io.ReadAll(theirs); !bytes.Equal(got, sent) || err != nil {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestOver_Errors(t *testing.T) {
	byte1 := make([]byte, 1)
	for name, test := range map[string]struct {
		do   func(ours net.Conn, theirs *net.TCPConn) error
		op   string
		want error
	}{
		"reading after the peer has reset": {func(ours net.Conn, theirs *net.TCPConn) error {
			theirs.SetLinger(0)
			theirs.Close()
			_, err := ours.Read(byte1)
			return err
		}, "read", syscall.ECONNRESET},
		"writing after the peer has reset": {func(ours net.Conn, theirs *net.TCPConn) error {
			theirs.SetLinger(0)
			theirs.Close()
			ours.Read(byte1) // the reset is here
			_, err := ours.Write(byte1)
			return err
		}, "write", syscall.EPIPE},
		"reading for too long": {func(ours net.Conn, _ *net.TCPConn) error {
			ours.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := ours.Read(byte1)
			return err
		}, "read", os.ErrDeadlineExceeded},
		"writing for too long": {func(ours net.Conn, _ *net.TCPConn) error {
			ours.SetWriteDeadline(time.Now().Add(time.Millisecond))
			for {
				if _, err := ours.Write(make([]byte, 1<<20)); err != nil {
					return err
				}
			}
		}, "write", os.ErrDeadlineExceeded},
		"reading what is closed": {func(ours net.Conn, _ *net.TCPConn) error {
			ours.Close()
			_, err := ours.Read(byte1)
			return err
		}, "read", net.ErrClosed},
		"writing what is closed": {func(ours net.Conn, _ *net.TCPConn) error {
			ours.Close()
			_, err := ours.Write(byte1)
			return err
		}, "write", net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := pair(t)
			err := test.do(ours, theirs)
			var op *net.OpError
			if !errors.As(err, &op) || op.Op != test.op || op.Addr == nil || !errors.Is(err, test.want) {
				t.Errorf("%#v: %v", err, err)
			}
		})
	}
	t.Run("reading after the peer has closed", func(t *testing.T) {
		ours, theirs := pair(t)
		theirs.Close()
		if _, err := ours.Read(byte1); !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
	})
}

func TestOver_WithoutDescriptor(t *testing.T) {
	pipe, _ := net.Pipe()
	if got := rawconn.Over(pipe); got != pipe {
		t.Errorf("%T", got)
	}
	if got := rawconn.Under(pipe); got != pipe {
		t.Errorf("%T", got)
	}
}

func TestUnder(t *testing.T) {
	ours, _ := pair(t)
	if _, ok := rawconn.Under(ours).(*net.TCPConn); !ok {
		t.Errorf("%T", rawconn.Under(ours))
	}
}
