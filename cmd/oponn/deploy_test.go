package main_test

import (
	"bufio"
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// The files that run Oponn elsewhere are checked here as far as that is
// possible without a Docker engine: they load, they hold to the rules below,
// and what they ask of the program is there.

const root = "../.."

func readRoot(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// loadCompose returns what docker compose would run.
func loadCompose(t *testing.T, env map[string]string, profiles ...string) *types.Project {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "docker-compose.yml")}},
		Environment: env,
	}, loader.WithProfiles(profiles))
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestCompose_Services(t *testing.T) {
	infrastructure := []string{"localstack", "postgres", "redis"}
	app := append([]string{"oponn-1", "oponn-2"}, infrastructure...)
	observability := append([]string{"grafana", "jaeger", "prometheus"}, infrastructure...)
	for name, tt := range map[string]struct{ profiles, services []string }{
		"NoProfile": {nil, infrastructure},
		"App":       {[]string{"app"}, app},
		"Observed":  {[]string{"observability"}, observability},
		"All":       {[]string{"*"}, append(app, "grafana", "jaeger", "prometheus")},
	} {
		t.Run(name, func(t *testing.T) {
			got := loadCompose(t, nil, tt.profiles...).ServiceNames()
			want := slices.Sorted(slices.Values(tt.services))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// otlpEndpoint is OpenTelemetry's own variable, by which traces are asked for.
const otlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"

// pinned is a tag that stays what it is: down to the last number.
var pinned = regexp.MustCompile(`^[a-z0-9/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+[\d.]*)?$`)

func TestCompose_Rules(t *testing.T) {
	project := loadCompose(t, nil, "*")
	for name, s := range project.Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %q is not pinned", name, s.Image)
		}
		if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 || s.HealthCheck.Disable {
			t.Errorf("%s has no health check", name)
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s: restart is %q", name, s.Restart)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged || s.NetworkMode == "host" {
			t.Errorf("%s could gain rights", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to others than this machine (%q)", name, p.Published, p.HostIP)
			}
		}
		for _, v := range s.Volumes {
			if _, declared := project.Volumes[v.Source]; v.Type != types.VolumeTypeVolume || !declared {
				t.Errorf("%s: %s is not a declared volume", name, v.Source)
			}
		}
		for other, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionStarted {
				t.Errorf("%s only waits until %s has started, not until it is of use", name, other)
			}
		}
	}
}

func TestCompose_Instances(t *testing.T) {
	project := loadCompose(t, map[string]string{"OPONN_SECRET": "a secret", "OPONN_KMS_KEY_ID": "a key"}, "app")
	known := knownSettings(t)
	taken := map[string]string{}
	for name, s := range project.Services {
		if s.Build == nil {
			continue
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !numericUser.MatchString(s.User) {
			t.Errorf("%s: read-only %v, without %v, as %q", name, s.ReadOnly, s.CapDrop, s.User)
		}
		for variable := range s.Environment {
			if !slices.Contains(known, variable) && variable != otlpEndpoint {
				t.Errorf("%s: the program knows no %s", name, variable)
			}
		}
		for _, required := range []string{"DATABASE_URL", "REDIS_URL", "OPONN_KMS_KEY_ID", "OPONN_SECRET", "OPONN_PUBLIC_URL"} {
			if v := s.Environment[required]; v == nil || *v == "" {
				t.Errorf("%s: %s is not set, but required in production", name, required)
			}
		}
		for _, p := range s.Ports {
			if other, double := taken[p.Published]; double {
				t.Errorf("%s and %s both want port %s", name, other, p.Published)
			}
			taken[p.Published] = name
		}
	}
}

// confidential is the name of what nobody else may know.
var confidential = regexp.MustCompile(`SECRET|PASSWORD|ACCESS_KEY|KMS_KEY`)

// TestCompose_NoSecrets sets nothing: what is there then stands in the file.
func TestCompose_NoSecrets(t *testing.T) {
	// They open nothing but the local stand-ins.
	harmless := []string{"", "oponn", "local"}
	for name, s := range loadCompose(t, nil, "*").Services {
		for variable, value := range s.Environment {
			if value == nil {
				continue
			}
			if confidential.MatchString(variable) && !slices.Contains(harmless, *value) {
				t.Errorf("%s: %s has a value in the file", name, variable)
			}
			if u, err := url.Parse(*value); err == nil && u.User != nil {
				if password, _ := u.User.Password(); !slices.Contains(harmless, password) {
					t.Errorf("%s: %s has a password in the file", name, variable)
				}
			}
		}
	}
}

func TestEnvExample(t *testing.T) {
	known := append(knownSettings(t), otlpEndpoint,
		"POSTGRES_PORT", "REDIS_PORT", "LOCALSTACK_PORT", "POSTGRES_PASSWORD", "PROMETHEUS_PORT", "GRAFANA_PORT", "JAEGER_PORT")
	for _, line := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=(.*)$`).FindAllStringSubmatch(readRoot(t, ".env.example"), -1) {
		name, value := line[1], line[2]
		if !slices.Contains(known, name) {
			t.Errorf("nobody reads %s", name)
		}
		if (name == "OPONN_SECRET" || name == "OPONN_KMS_KEY_ID") && value != "" {
			t.Errorf("%s has a value: it would be everybody's", name)
		}
	}
}

// TestDeploy_CommandsExist looks for what the files ask of the program.
func TestDeploy_CommandsExist(t *testing.T) {
	_, help, _ := oponn(t, t.TempDir(), nil, "--help")
	asked := map[string]string{}
	for name, s := range loadCompose(t, nil, "*").Services {
		if s.Build == nil {
			continue
		}
		asked[strings.Join(s.HealthCheck.Test[2:], " ")] = "docker-compose.yml, health of " + name
	}
	makefile := readRoot(t, "Makefile")
	for _, use := range regexp.MustCompile(`(?m)^\t.*bin/oponn ([a-z]+( [a-z]+)?)( & \\)?$`).FindAllStringSubmatch(makefile, -1) {
		asked[use[1]] = "Makefile"
	}
	for command, where := range asked {
		if !regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(command) + `\b`).MatchString(help) {
			t.Errorf("%s asks for `oponn %s`, which does not exist", where, command)
		}
	}
	known := knownSettings(t)
	for _, use := range regexp.MustCompile(`\b(OPONN_[A-Z_]+)\b`).FindAllString(makefile, -1) {
		if !slices.Contains(known, use) {
			t.Errorf("the Makefile sets %s, which the program doesn't know", use)
		}
	}
}

// knownSettings returns the names of all settings: those that the program
// explains, and those that the AWS client reads by itself.
func knownSettings(t *testing.T) []string {
	t.Helper()
	_, help, _ := oponn(t, t.TempDir(), nil, "serve", "--help")
	names := []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
	for _, name := range regexp.MustCompile(`\[([A-Z][A-Z0-9_]+)\]`).FindAllStringSubmatch(help, -1) {
		names = append(names, name[1])
	}
	if len(names) < 10 {
		t.Fatalf("the help explains no settings:\n%s", help)
	}
	return names
}

// instructions returns the Dockerfile's, each in one line.
func instructions(t *testing.T) (list []string) {
	t.Helper()
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(readRoot(t, "Dockerfile"), "")
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

var numericUser = regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`)

func TestDockerfile_Rules(t *testing.T) {
	var images, last []string // the instructions of the last stage
	for _, line := range instructions(t) {
		words := strings.Fields(line)
		if words[0] == "FROM" {
			last = nil
			if words = slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, "--") }); words[1] != "scratch" {
				images = append(images, words[1])
			}
		}
		last = append(last, line)
	}
	for _, image := range images {
		if !pinned.MatchString(image) {
			t.Errorf("the image %q is not pinned", image)
		}
	}
	_, language, _ := strings.Cut(readRoot(t, "go.mod"), "\ngo ")
	if want := "golang:" + language[:strings.LastIndexByte(language[:strings.IndexByte(language, '\n')], '.')+1]; !slices.ContainsFunc(images, func(i string) bool { return strings.HasPrefix(i, want) }) {
		t.Errorf("go.mod wants an image %s…, there are %v", want, images)
	}
	user := slices.IndexFunc(last, func(line string) bool { return strings.HasPrefix(line, "USER ") })
	if user < 0 || !numericUser.MatchString(strings.TrimPrefix(last[user], "USER ")) {
		t.Error("the image's user is not a number above zero")
	}
	for _, want := range []string{"FROM scratch", `ENTRYPOINT ["/oponn"]`, `CMD ["serve"]`, "VOLUME /data", "EXPOSE 8080 8081"} {
		if !slices.Contains(last, want) {
			t.Errorf("the last stage lacks %s", want)
		}
	}
}

// TestDockerfile_Builds runs the image's own build line: what comes out needs
// nothing but a kernel, which is all that there is in the image.
func TestDockerfile_Builds(t *testing.T) {
	list := instructions(t)
	line := slices.IndexFunc(list, func(l string) bool { return strings.HasPrefix(l, "RUN ") && strings.Contains(l, "go build") })
	if line < 0 {
		t.Fatal("the Dockerfile builds nothing")
	}
	script := regexp.MustCompile(`^RUN\s+(--mount=\S+\s+)*`).ReplaceAllString(list[line], "")
	file := filepath.Join(t.TempDir(), "oponn")
	if !strings.Contains(script, "-o /out/oponn ") {
		t.Fatalf("it doesn't build /out/oponn: %s", script)
	}
	build := exec.CommandContext(t.Context(), "sh", "-ec", strings.ReplaceAll(script, "/out/oponn", file))
	build.Dir = root
	build.Env = append(os.Environ(), "TARGETOS=linux", "TARGETARCH="+runtime.GOARCH, "VERSION=v1.2.3-image")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	assertStatic(t, file)
	if runtime.GOOS != "linux" {
		return // built for Linux; there it runs
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	version := exec.CommandContext(ctx, file, "version")
	version.Dir, version.Env = t.TempDir(), []string{}
	if out, err := version.CombinedOutput(); err != nil || !strings.Contains(string(out), "v1.2.3-image") {
		t.Errorf("version: %v, %q; want the version that the build was told", err, out)
	}
}

func assertStatic(t *testing.T, file string) {
	t.Helper()
	program, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: it has a segment %v", p.Type)
		}
	}
	if libraries, err := program.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("the binary needs %v", libraries)
	}
}

// TestDockerignore makes sure that the build gets what it needs, and no image
// layer what is private to the machine that builds.
func TestDockerignore(t *testing.T) {
	patterns, err := ignorefile.ReadAll(strings.NewReader(readRoot(t, ".dockerignore")))
	if err != nil {
		t.Fatal(err)
	}
	ignored := func(path string) bool {
		match, err := patternmatcher.MatchesOrParentMatches(filepath.ToSlash(path), patterns)
		if err != nil {
			t.Fatal(err)
		}
		return match
	}
	for _, path := range []string{
		".env", ".env.local", "data/oponn.db", "data/oponn.db-wal", "data/master.key", "cmd/oponn/data/secret.key", "tls.pem",
		".git/config", "bin/oponn", "views/node_modules/htmx.org/package.json", "views/static/vendor/htmx.min.js",
	} {
		if !ignored(path) {
			t.Errorf("%s would get into the build", path)
		}
	}
	for _, path := range append(sources(t), "go.mod", "go.sum", "views/package.json", "views/package-lock.json", "views/vendor.sh") {
		if ignored(path) && !strings.HasPrefix(filepath.ToSlash(path), "views/static/vendor/") {
			t.Errorf("%s is needed by the build, but ignored", path)
		}
	}
}

// sources returns the files of this module that the binary is built from.
func sources(t *testing.T) (files []string) {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Dir,GoFiles,EmbedFiles,Module", "./cmd/oponn")
	list.Dir, list.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(bufio.NewReader(bytes.NewReader(out))); decoder.More(); {
		var pkg struct {
			Dir                 string
			GoFiles, EmbedFiles []string
			Module              *struct{ Main bool }
		}
		if err := decoder.Decode(&pkg); err != nil {
			t.Fatal(err)
		}
		if pkg.Module == nil || !pkg.Module.Main {
			continue
		}
		for _, file := range append(pkg.GoFiles, pkg.EmbedFiles...) {
			path, err := filepath.Rel(dir, filepath.Join(pkg.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, path)
		}
	}
	if len(files) < 50 {
		t.Fatalf("only %d files: %v", len(files), files)
	}
	return files
}
