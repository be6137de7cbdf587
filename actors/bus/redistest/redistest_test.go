package redistest_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/oponn/oponn/actors/bus/redistest"
)

const victim = "OPONN_REDISTEST_VICTIM"

// TestVictim is what the process does that TestKilled kills. By itself it does
// nothing.
func TestVictim(t *testing.T) {
	if os.Getenv(victim) == "" {
		return
	}
	server := redistest.Start(t)
	_, _ = os.Stdout.WriteString("at " + server.URL + "\n")
	select {}
}

func TestKilled(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victim+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := ""
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		if after, ok := strings.CutPrefix(lines.Text(), "at "); ok {
			url = after
		}
	}
	client := redistest.Client(t, url)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill() // kill -9: nothing of it can tidy up
	_ = cmd.Wait()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); client.Ping(t.Context()).Err() == nil; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the server outlives its test")
		}
	}
}

func TestStopAndStart(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Client(t, server.URL)
	if err := client.Set(t.Context(), "a", "b", 0).Err(); err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	if client.Ping(t.Context()).Err() == nil {
		t.Error("it answers")
	}
	server.Start(t)
	if n := client.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys after a crash", n)
	}
	if first, second := redistest.Namespace(t), redistest.Namespace(t); first == second {
		t.Error("two tests share a namespace")
	}
}
