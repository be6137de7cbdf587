// Command testsum runs `go test` with the arguments it is given and says in a
// few lines what came of it: the output of what failed, a line for each
// package, the slowest tests, and last the counts. It fails when a test fails,
// but also when one is skipped or when none ran at all: a test that didn't run
// has shown nothing.
//
//	go run ./.ci/testsum -race ./...
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// summary gathers events. What a test prints is kept until it is known whether
// anybody wants to read it. Tests are named by package and test.
type summary struct {
	output         map[string][]string
	parents        map[string]bool // have subtests
	failedIn       map[string]bool // packages with a failed test
	seconds        map[string]float64
	skipped        []string
	passed, failed int
}

func main() {
	// An interrupt reaches go test too; what it still has to say is wanted.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)

	cmd := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...) //nolint:noctx // ends by the same interrupt
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	s := summary{
		output: map[string][]string{}, parents: map[string]bool{},
		failedIn: map[string]bool{}, seconds: map[string]float64{},
	}
	s.read(pipe)
	err = cmd.Wait()
	s.print()
	if err != nil || s.failed > 0 || len(s.skipped) > 0 || s.passed == 0 {
		os.Exit(1)
	}
}

// read takes events until the end. A line that is none is passed on as it is.
func (s *summary) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) == nil {
			s.take(e)
		} else {
			fmt.Print(line)
		}
		if err != nil {
			return
		}
	}
}

func (s *summary) take(e event) {
	name := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Print(e.Output)
	case e.Action == "output" && e.Test != "":
		s.output[name] = append(s.output[name], e.Output)
	case e.Action == "output" && e.Output != "PASS\n" && e.Output != "FAIL\n":
		fmt.Print(e.Output) // a package's own, but not the verdict that its last line repeats
	case e.Action == "pass" || e.Action == "fail" || e.Action == "skip":
		if e.Test == "" {
			s.endPackage(e)
		} else {
			s.endTest(name, e)
		}
	}
}

func (s *summary) endTest(name string, e event) {
	if i := strings.LastIndexByte(name, '/'); i > len(e.Package) {
		s.parents[name[:i]] = true
	}
	s.seconds[name] = e.Elapsed
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		s.failedIn[e.Package] = true
		fmt.Print(strings.Join(s.output[name], ""))
	case "skip":
		s.skipped = append(s.skipped, name)
		fmt.Print(strings.Join(s.output[name], ""))
	}
	delete(s.output, name)
}

// endPackage shows what tests said that never ended (a panic, a deadline), and
// counts a package that fails by itself: it didn't build, or TestMain failed.
func (s *summary) endPackage(e event) {
	for name, lines := range s.output {
		if strings.HasPrefix(name, e.Package+" ") {
			fmt.Print(strings.Join(lines, ""))
			delete(s.output, name)
		}
	}
	if e.Action == "fail" && !s.failedIn[e.Package] {
		s.failed++
	}
}

func (s *summary) print() {
	var names []string
	for name := range s.seconds {
		if !s.parents[name] {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(s.seconds[b], s.seconds[a]) })
	fmt.Println("\nslowest tests")
	for _, name := range names[:min(10, len(names))] {
		fmt.Printf("%8.2fs  %s\n", s.seconds[name], name)
	}
	for _, name := range s.skipped {
		fmt.Println("skipped, which counts as a failure:", name)
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", s.passed, s.failed, len(s.skipped))
}
