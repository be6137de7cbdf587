// Command licences prints, as the text of docs/licences.md, under which licence
// everything is that goes into the program: the modules that it is built from,
// by their licence files, and the scripts of its pages, by their lock file. It
// fails where there is a licence that it doesn't know, or none.
//
//	go run ./.ci/licences > docs/licences.md
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	text, err := list()
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
	fmt.Print(text)
}

// systems are those whose programs may be built from different modules.
var systems = []string{"linux", "darwin"}

func list() (string, error) {
	dirs := map[string]string{}
	for _, system := range systems {
		if err := modules(system, dirs); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	b.WriteString("# Licences\n\nWhat goes into the program, and under which licence it is. Written by `make licences`; what only tests and tools use is not in it.\n\n| module | licence |\n|---|---|\n| Go's standard library | BSD-3-Clause |\n")
	var faults []error
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		licence, err := licenceIn(dirs[path])
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
		}
		fmt.Fprintf(&b, "| %s | %s |\n", path, licence)
	}
	scripts, err := scripts("views/package-lock.json")
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		fmt.Fprintf(&b, "| %s (npm) | %s |\n", name, scripts[name])
	}
	return b.String(), errors.Join(append(faults, err)...)
}

// modules notes where the modules are that the program is built from.
func modules(system string, dirs map[string]string) error {
	command := exec.CommandContext(context.Background(), "go", "list", "-deps", "-json=Module", "./cmd/oponn")
	command.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			Module *struct {
				Path, Dir string
				Main      bool
				Replace   *struct{ Dir string }
			}
		}
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if m := pkg.Module; m != nil && !m.Main {
			dirs[m.Path] = m.Dir
		}
	}
}

// marks are sentences by which a licence is known, in the order in which they
// are looked for.
var marks = []struct{ name, mark string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the \"software\"), to deal in the software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the software, and to permit persons to whom the software is furnished to do so, subject to the following conditions"},
	{"MIT-0", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from this software without specific prior written permission"},
	{"BSD-2-Clause", "redistribution and use in source and binary forms, with or without modification, are permitted"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
	{"CC0-1.0", "cc0 1.0 universal"},
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)([-.].*)?$`)
	spaces      = regexp.MustCompile(`[\s*#>]+`)
)

// licenceIn returns the licences in a module's folder, more than one where it
// has several files.
func licenceIn(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return "", err
		}
		plain := strings.NewReplacer("“", `"`, "”", `"`, "``", `"`, "''", `"`).Replace(string(text))
		plain = strings.ReplaceAll(strings.ToLower(spaces.ReplaceAllString(plain, " ")), ", version", " version")
		name := "unknown"
		for _, m := range marks {
			if strings.Contains(plain, m.mark) {
				name = m.name
				break
			}
		}
		if name == "unknown" {
			return name, fmt.Errorf("%s is of no licence that is known here", entry.Name())
		}
		if !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return "none", errors.New("there is no licence")
	}
	return strings.Join(found, ", "), nil
}

// scripts returns what a lock file of npm says of what isn't for development.
func scripts(lock string) (map[string]string, error) {
	text, err := os.ReadFile(lock)
	if err != nil {
		return nil, err
	}
	var file struct {
		Packages map[string]struct {
			License string
			Dev     bool
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	licences := map[string]string{}
	for path, p := range file.Packages {
		if name, inside := strings.CutPrefix(path, "node_modules/"); inside && !p.Dev {
			if p.License == "" {
				return nil, fmt.Errorf("%s has no licence", name)
			}
			licences[name] = p.License
		}
	}
	return licences, nil
}
