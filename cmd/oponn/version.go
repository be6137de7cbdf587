package main

import (
	"fmt"
	"runtime/debug"
)

// release is set by the linker (-X main.release=1.2.3) where the build doesn't
// know the repository, as in an image.
var release string

type versionCommand struct{}

// Run prints what this binary was built from.
func (versionCommand) Run(t terminal) error {
	_, err := fmt.Fprintln(t.out, "oponn", version())
	return err
}

// version returns the module's version and the revision it was built at, as
// far as the build has noted them.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := released(build)
	for _, setting := range build.Settings {
		switch {
		case setting.Key == "vcs.revision":
			text += " " + setting.Value[:min(len(setting.Value), 12)]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			text += " with changes"
		}
	}
	return text + " " + build.GoVersion
}

// released returns the module's version.
func released(build *debug.BuildInfo) string {
	switch {
	case release != "":
		return release
	case build.Main.Version == "":
		return "(devel)"
	default:
		return build.Main.Version
	}
}

// built returns the module's version and the revision it was built at; unknown
// where the build has not noted them.
func built() (version, revision string) {
	version, revision = "unknown", "unknown"
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return version, revision
	}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" {
			revision = setting.Value
		}
	}
	return released(build), revision
}
