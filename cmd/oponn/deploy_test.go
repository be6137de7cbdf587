package main_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose loads docker-compose.yml as docker compose would.
func compose(t *testing.T, profiles ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../../docker-compose.yml"}, cli.WithProfiles(profiles),
		cli.WithEnv([]string{"OPONN_SECRET=from .env", "OPONN_KMS_KEY_ID=from .env"}), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestCompose_StartsWhatDevelopersNeed(t *testing.T) {
	if names := compose(t).ServiceNames(); !slices.Equal(names, []string{"localstack", "postgres", "redis"}) {
		t.Errorf("without a profile: %v", names)
	}
	all := compose(t, "app")
	if names := all.ServiceNames(); !slices.Contains(names, "oponn-1") || !slices.Contains(names, "oponn-2") {
		t.Errorf("with the profile app: %v", names)
	}
	pinned := regexp.MustCompile(`:\d+\.\d+`)
	for name, service := range all.Services {
		if service.Build == nil && !pinned.MatchString(service.Image) {
			t.Errorf("%s: the image %s is not pinned", name, service.Image)
		}
		if service.HealthCheck == nil && name != "oponn-migrate" {
			t.Errorf("%s has no health check", name)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s listens on %q", name, port.HostIP)
			}
		}
		for _, mount := range service.Volumes {
			if _, declared := all.Volumes[mount.Source]; mount.Type == "volume" && !declared {
				t.Errorf("%s: the volume %s is not declared", name, mount.Source)
			}
		}
	}
	if len(all.Volumes) < 2 {
		t.Errorf("volumes %v", all.VolumeNames())
	}
}

// TestCompose_SpeaksTheProgramsLanguage checks the instances' environment and
// commands against the program itself.
func TestCompose_SpeaksTheProgramsLanguage(t *testing.T) {
	_, help, _ := oponn(t, t.TempDir(), nil, "serve", "--help")
	secrets := []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} // the AWS client's own
	for name, service := range compose(t, "app").Services {
		if !strings.HasPrefix(name, "oponn") {
			continue
		}
		for variable := range service.Environment {
			if !strings.Contains(help, "["+variable+"]") && !strings.Contains(help, variable) && !slices.Contains(secrets, variable) {
				t.Errorf("%s sets %s, which the program does not know", name, variable)
			}
		}
		if service.User == "" || !service.ReadOnly || !slices.Contains(service.CapDrop, "ALL") {
			t.Errorf("%s runs as %q, read-only %t, without %v", name, service.User, service.ReadOnly, service.CapDrop)
		}
	}
	// What an instance is told, short of what comes from .env, is complete.
	instance := compose(t, "app").Services["oponn-1"]
	settings := make([]string, 0, len(instance.Environment)+1)
	for name, value := range instance.Environment {
		if value != nil && name != "OPONN_SECRET" {
			settings = append(settings, name+"="+*value)
		}
	}
	code, _, errs := oponn(t, t.TempDir(), append(settings, "OPONN_SECRET="), "serve")
	if code != 2 || !strings.Contains(errs, "missing for that: OPONN_SECRET") || strings.Contains(errs, "DATABASE_URL") {
		t.Errorf("serve with compose's settings but the secret: %d %s", code, errs)
	}
}

func TestCompose_HoldsNoSecrets(t *testing.T) {
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"OPONN_SECRET", "OPONN_KMS_KEY_ID"} {
		if !regexp.MustCompile(name + `: \$\{` + name + `:-\}`).Match(text) {
			t.Errorf("%s does not come from .env", name)
		}
	}
}

// TestDockerfile_BuildsAStaticBinary runs the Dockerfile's own build line.
func TestDockerfile_BuildsAStaticBinary(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`go build .*-o /out/oponn \./cmd/oponn`).Find(text)
	if line == nil {
		t.Fatal("the Dockerfile has no line that builds the program")
	}
	out := filepath.Join(t.TempDir(), "oponn")
	build := exec.Command("sh", "-c", strings.Replace(string(line), "/out/oponn", out, 1))
	build.Dir = "../.."
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "VERSION=1.2.3", "GOFLAGS=")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	file, err := elf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, program := range file.Progs {
		if program.Type == elf.PT_INTERP || program.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: it has %v", program.Type)
		}
	}
	if runtime.GOOS == "linux" {
		said, err := exec.Command(out, "version").Output()
		if err != nil || !bytes.Contains(said, []byte("1.2.3")) {
			t.Errorf("version: %s %v", said, err)
		}
	}
	for _, need := range []string{"FROM scratch", "USER 65532", `ENTRYPOINT ["/oponn"]`, "ca-certificates.crt"} {
		if !bytes.Contains(text, []byte(need)) {
			t.Errorf("the Dockerfile lacks %s", need)
		}
	}
}
