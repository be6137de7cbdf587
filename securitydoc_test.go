package oponn_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const securityDoc = "docs/security.md"

// asvs says how many requirements of levels 1 and 2 the sections of ASVS 5.0.0
// have: everywhere the first ones.
var asvs = map[string]int{
	"1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2,
	"4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
	"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4,
	"10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
	"12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7,
	"16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}

// numbers matches a requirement, or the first and the last of several.
var numbers = regexp.MustCompile(`(\d+\.\d+)\.(\d+)(?:–(\d+\.\d+)\.(\d+))?`)

// TestSecurityDoc_HasEveryRequirement wants each number of levels 1 and 2 in
// one row, with one of four states, and the sums as they are.
func TestSecurityDoc_HasEveryRequirement(t *testing.T) {
	states, sums, all := map[string]string{}, map[string]int{}, 0
	for _, row := range strings.Split(readDoc(t), "\n") {
		cells := strings.Split(row, "|")
		if len(cells) != 6 || !numbers.MatchString(cells[1]) {
			continue
		}
		state := strings.TrimSpace(cells[3])
		for _, found := range numbers.FindAllStringSubmatch(cells[1], -1) {
			for _, number := range span(t, found) {
				if states[number] != "" {
					t.Errorf("%s stands there twice", number)
				}
				states[number] = state
				sums[state]++
			}
		}
	}
	for section, n := range asvs {
		all += n
		for i := range n {
			number := fmt.Sprintf("%s.%d", section, i+1)
			switch state := states[number]; state {
			case "met", "operators", "not met", "n/a":
			default:
				t.Errorf("%s has the state %q", number, state)
			}
			delete(states, number)
		}
	}
	for number := range states {
		t.Errorf("there is no %s", number)
	}
	want := fmt.Sprintf("| requirements | %d | %d | %d | %d | %d |", all, sums["met"], sums["operators"], sums["not met"], sums["n/a"])
	if !strings.Contains(readDoc(t), want) {
		t.Errorf("the sums are\n%s", want)
	}
}

// span returns the numbers that a match of numbers stands for.
func span(t *testing.T, found []string) (all []string) {
	t.Helper()
	first, err := strconv.Atoi(found[2])
	last := first
	if err == nil && found[3] != "" {
		last, err = strconv.Atoi(found[4])
	}
	if err != nil || found[3] != "" && found[3] != found[1] || last < first {
		t.Fatalf("%q is no span of one section: %v", found[0], err)
	}
	for n := first; n <= last; n++ {
		all = append(all, fmt.Sprintf("%s.%d", found[1], n))
	}
	return all
}

// named matches what the document names in code: a file, or a command of make.
var named = regexp.MustCompile("`(?:make ([a-z-]+)|([A-Za-z0-9_./-]+\\.(?:go|md|yml|json|js|templ|sum)|Dockerfile))`")

// TestSecurityDoc_NamesWhatIsThere looks for the files and commands that the
// document names.
func TestSecurityDoc_NamesWhatIsThere(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := named.FindAllStringSubmatch(readDoc(t), -1)
	for _, name := range found {
		if target, file := name[1], name[2]; target != "" && !regexp.MustCompile(`(?m)^`+target+`\b.*:`).Match(makefile) {
			t.Errorf("there is no make %s", target)
		} else if file != "" {
			if _, err := os.Stat(file); err != nil {
				t.Error(err)
			}
		}
	}
	if len(found) < 100 {
		t.Errorf("only %d names were found", len(found))
	}
}

func readDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(securityDoc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
