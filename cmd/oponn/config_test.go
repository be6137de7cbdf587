package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// readConfig returns what `oponn serve` makes of an environment and flags.
func readConfig(t *testing.T, env map[string]string, args ...string) (config, error) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "OPONN_") || strings.HasPrefix(name, "AWS_") || name == "DATABASE_URL" || name == "REDIS_URL" {
			t.Setenv(name, value) // brings it back after the test
			os.Unsetenv(name)
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	if err := loadEnvironment(".env"); err != nil {
		return config{}, err
	}
	var cli commands
	command, err := cli.parse(append([]string{"serve"}, args...), terminal{out: io.Discard, err: io.Discard})
	if err != nil || command == nil {
		return config{}, err
	}
	return cli.Serve.read(20_000)
}

const goodSecret = "0123456789abcdef0123456789abcdef"

func TestConfig_Defaults(t *testing.T) {
	t.Chdir(t.TempDir())
	got, err := readConfig(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		addr: ":8080", opsAddr: "127.0.0.1:8081", storage: storage{dir: "./data"}, rateLimits: true, voterTokens: true,
		frameInterval: 100 * time.Millisecond, maxWaiting: 20_000, idleAfter: 2 * time.Minute, maxStreams: 15_000,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestConfig_Sources(t *testing.T) {
	for name, tt := range map[string]struct {
		file string
		env  map[string]string
		args []string
		want string
	}{
		"File":                {file: "OPONN_ADDR=:1001\n", want: ":1001"},
		"EnvironmentWins":     {file: "OPONN_ADDR=:1001\n", env: map[string]string{"OPONN_ADDR": ":1002"}, want: ":1002"},
		"FlagBeatsBoth":       {file: "OPONN_ADDR=:1001\n", env: map[string]string{"OPONN_ADDR": ":1002"}, args: []string{"--addr", ":1003"}, want: ":1003"},
		"EmptyIsTheDefault":   {env: map[string]string{"OPONN_ADDR": ""}, want: ":8080"},
		"EmptyInTheFileToo":   {file: "OPONN_ADDR=\n", want: ":8080"},
		"CommentsAreComments": {file: "# OPONN_ADDR=:1001\n", want: ":8080"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("OPONN_ADDR", "") // what the file sets goes with the test
			os.Unsetenv("OPONN_ADDR")
			if err := os.WriteFile(".env", []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readConfig(t, tt.env, tt.args...)
			if err != nil || got.addr != tt.want {
				t.Errorf("got %q, %v; want %q", got.addr, err, tt.want)
			}
		})
	}
}

func TestConfig_Values(t *testing.T) {
	t.Chdir(t.TempDir())
	got, err := readConfig(t, map[string]string{
		"OPONN_PUBLIC_URL":      "https://vote.example.org/",
		"OPONN_SECRET":          goodSecret + ", " + strings.ToUpper(goodSecret),
		"OPONN_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8",
		"DATABASE_URL":          "postgres://oponn:pw@one:5432,two:5433/oponn?sslmode=disable&target_session_attrs=read-write",
		"AWS_ENDPOINT_URL":      "http://general:1",
		"AWS_ENDPOINT_URL_KMS":  "http://special:2",
		"OPONN_REUSE_PORT":      "on",
		"OPONN_RATE_LIMITS":     "off",
		"OPONN_VOTER_TOKENS":    "off",
		"OPONN_DRAIN_DELAY":     "250ms",
		"OPONN_MAX_STREAMS":     "7",
	}, "--idle-after=1s", "--log-level=warn")
	if err != nil {
		t.Fatal(err)
	}
	if got.publicURL.String() != "https://vote.example.org" || len(got.secrets) != 2 || string(got.secrets[0]) != goodSecret ||
		len(got.trustedProxies) != 2 || got.rateLimits || got.voterTokens || got.drainDelay != 250*time.Millisecond ||
		got.storage.kms.Endpoint != "http://special:2" || got.storage.embedded() || !got.reusePort ||
		got.maxStreams != 7 || got.idleAfter != time.Second || got.logLevel.String() != "WARN" {
		t.Errorf("got %+v", got)
	}
}

// TestConfig_Refusals checks that every fault is told by the name of its
// setting, and is the caller's.
func TestConfig_Refusals(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		says []string
	}{
		"Address":             {map[string]string{"OPONN_ADDR": "8080"}, []string{`OPONN_ADDR is "8080"`}},
		"AddressPort":         {map[string]string{"OPONN_OPS_ADDR": ":99999"}, []string{"OPONN_OPS_ADDR"}},
		"Env":                 {map[string]string{"OPONN_ENV": "prod"}, []string{"OPONN_ENV", "development or production"}},
		"PublicURLScheme":     {map[string]string{"OPONN_PUBLIC_URL": "vote.example.org"}, []string{"OPONN_PUBLIC_URL"}},
		"PublicURLPath":       {map[string]string{"OPONN_PUBLIC_URL": "https://example.org/vote"}, []string{"OPONN_PUBLIC_URL"}},
		"PublicURLUser":       {map[string]string{"OPONN_PUBLIC_URL": "https://me:pw@example.org"}, []string{"OPONN_PUBLIC_URL"}},
		"ShortSecret":         {map[string]string{"OPONN_SECRET": "hunter2"}, []string{"OPONN_SECRET", "at least 32"}},
		"ShortSecondSecret":   {map[string]string{"OPONN_SECRET": goodSecret + ",hunter2"}, []string{"OPONN_SECRET: value 2"}},
		"Networks":            {map[string]string{"OPONN_TRUSTED_PROXIES": "10.0.0.1"}, []string{"OPONN_TRUSTED_PROXIES", "10.0.0.1"}},
		"RateLimits":          {map[string]string{"OPONN_RATE_LIMITS": "no"}, []string{"OPONN_RATE_LIMITS", "on or off"}},
		"VoterTokens":         {map[string]string{"OPONN_VOTER_TOKENS": "yes"}, []string{"OPONN_VOTER_TOKENS"}},
		"DrainDelay":          {map[string]string{"OPONN_DRAIN_DELAY": "5"}, []string{"OPONN_DRAIN_DELAY", "5s"}},
		"NegativeDrainDelay":  {map[string]string{"OPONN_DRAIN_DELAY": "-5s"}, []string{"OPONN_DRAIN_DELAY"}},
		"NobodyMayWait":       {map[string]string{"OPONN_MAX_WAITING": "0"}, []string{"OPONN_MAX_WAITING"}},
		"ZeroFrameInterval":   {map[string]string{"OPONN_FRAME_INTERVAL": "0s"}, []string{"OPONN_FRAME_INTERVAL"}},
		"IdleAfter":           {map[string]string{"OPONN_IDLE_AFTER": "soon"}, []string{"OPONN_IDLE_AFTER"}},
		"MaxStreams":          {map[string]string{"OPONN_MAX_STREAMS": "many"}, []string{"OPONN_MAX_STREAMS"}},
		"MoreStreamsThanFile": {map[string]string{"OPONN_MAX_STREAMS": "18001"}, []string{"OPONN_MAX_STREAMS", "20000 files"}},
		"LogLevel":            {map[string]string{"OPONN_LOG_LEVEL": "loud"}, []string{"OPONN_LOG_LEVEL"}},
		"NoSuchPrivacyFile":   {map[string]string{"OPONN_PRIVACY_FILE": "privacy.txt"}, []string{"OPONN_PRIVACY_FILE", "privacy.txt"}},
		"ImprintIsAFolder":    {map[string]string{"OPONN_IMPRINT_FILE": "/"}, []string{"OPONN_IMPRINT_FILE"}},
		"EndlessImprint":      {map[string]string{"OPONN_IMPRINT_FILE": "/dev/zero"}, []string{"OPONN_IMPRINT_FILE", "65536 bytes"}},
		"EmptyImprint":        {map[string]string{"OPONN_IMPRINT_FILE": "/dev/null"}, []string{"OPONN_IMPRINT_FILE", "empty"}},
		"ReportToNobody":      {map[string]string{"OPONN_REPORT_TO": "abuse@example.org"}, []string{"OPONN_REPORT_TO", "mailto:"}},
		"ReportToScript":      {map[string]string{"OPONN_REPORT_TO": "javascript:alert(1)"}, []string{"OPONN_REPORT_TO"}},
		"CertificateAlone":    {map[string]string{"OPONN_TLS_CERT": "cert.pem"}, []string{"OPONN_TLS_KEY is not"}},
		"KeyAlone":            {map[string]string{"OPONN_TLS_KEY": "key.pem"}, []string{"OPONN_TLS_CERT is not"}},
		"NoSuchCertificate":   {map[string]string{"OPONN_TLS_CERT": "cert.pem", "OPONN_TLS_KEY": "key.pem"}, []string{"OPONN_TLS_CERT", "cert.pem"}},
		"Postgres":            {map[string]string{"DATABASE_URL": "mysql://u:hunter2@db/oponn"}, []string{"DATABASE_URL", "postgres://"}},
		"PostgresPort":        {map[string]string{"DATABASE_URL": "postgres://u:hunter2@db:port/oponn"}, []string{"DATABASE_URL can't be used"}},
		"PostgresPassword":    {map[string]string{"DATABASE_URL": "postgres://u:hunt:hunter2@%zz@db/oponn"}, []string{"DATABASE_URL can't be used"}},
		"KMSEndpoint":         {map[string]string{"AWS_ENDPOINT_URL": "localhost:4566"}, []string{"AWS_ENDPOINT_URL"}},
		"KMSEndpointUser":     {map[string]string{"AWS_ENDPOINT_URL": "https://u:hunter2@kms"}, []string{"AWS_ENDPOINT_URL"}},
		"LocalKMS":            {map[string]string{"OPONN_LOCAL_KMS": "yes"}, []string{"OPONN_LOCAL_KMS"}},
		"Redis":               {map[string]string{"REDIS_URL": "cache:hunter2"}, []string{"REDIS_URL", "redis:// or rediss://"}},
		"ReusePort":           {map[string]string{"OPONN_REUSE_PORT": "2"}, []string{"OPONN_REUSE_PORT"}},
		"AllAtOnce":           {map[string]string{"OPONN_ADDR": "x", "OPONN_ENV": "y"}, []string{"OPONN_ADDR", "OPONN_ENV"}},
		"BareProduction": {map[string]string{"OPONN_ENV": "production"},
			[]string{"missing", "DATABASE_URL", "REDIS_URL", "OPONN_KMS_KEY_ID", "OPONN_SECRET", "OPONN_PUBLIC_URL"}},
		"ProductionWithoutRedis": {map[string]string{"OPONN_ENV": "production", "DATABASE_URL": "postgres://db/oponn", "OPONN_KMS_KEY_ID": "alias/oponn",
			"OPONN_SECRET": goodSecret, "OPONN_PUBLIC_URL": "https://example.org"}, []string{"missing for that: REDIS_URL (Redis)."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			_, err := readConfig(t, tt.env)
			var usage usageError
			if !errors.As(err, &usage) {
				t.Fatalf("got %v, want a usageError", err)
			}
			for _, text := range tt.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q shows a secret", err)
			}
		})
	}
}

// TestConfig_ProductionIsStrict starts from settings that production takes,
// and refuses what belongs to a developer's machine.
func TestConfig_ProductionIsStrict(t *testing.T) {
	t.Chdir(t.TempDir())
	good := map[string]string{"OPONN_ENV": "production", "DATABASE_URL": "postgres://db/oponn", "REDIS_URL": "rediss://cache",
		"OPONN_KMS_KEY_ID": "alias/oponn", "OPONN_SECRET": goodSecret, "OPONN_PUBLIC_URL": "https://vote.example.org"}
	if got, err := readConfig(t, good); err != nil || got.drainDelay != 5*time.Second || got.voterTokens {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, tt := range map[string]struct {
		env  map[string]string
		says string
	}{
		"PlainPublicURL":  {map[string]string{"OPONN_PUBLIC_URL": "http://vote.example.org"}, "https"},
		"PlainKMS":        {map[string]string{"AWS_ENDPOINT_URL": "http://localhost:4566"}, "OPONN_LOCAL_KMS=on"},
		"PlainKMSLoudly":  {map[string]string{"AWS_ENDPOINT_URL": "HTTP://localhost:4566"}, "OPONN_LOCAL_KMS=on"},
		"PlainKMSAlone":   {map[string]string{"AWS_ENDPOINT_URL_KMS": "http://localhost:4566"}, "OPONN_LOCAL_KMS=on"},
		"PlainKMSFarAway": {map[string]string{"AWS_ENDPOINT_URL": "http://kms.example.org", "OPONN_LOCAL_KMS": "on"}, "on this machine"},
		"PlainKMSAddress": {map[string]string{"AWS_ENDPOINT_URL": "http://192.0.2.7:4566", "OPONN_LOCAL_KMS": "on"}, "on this machine"},
		"GuessableSecret": {map[string]string{"OPONN_SECRET": strings.Repeat("change", 8)}, "can be guessed"},
	} {
		t.Run(name, func(t *testing.T) {
			env := maps.Clone(good)
			maps.Copy(env, tt.env)
			if _, err := readConfig(t, env); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v does not say %q", err, tt.says)
			}
		})
	}
	tried := maps.Clone(good)
	maps.Copy(tried, map[string]string{"OPONN_PUBLIC_URL": "http://localhost:8080", "OPONN_LOCAL_KMS": "on"})
	for _, endpoint := range []string{"http://localhost:4566", "http://127.0.0.1:4566", "http://[::1]:4566", "http://localstack:4566"} {
		tried["AWS_ENDPOINT_URL"] = endpoint
		if _, err := readConfig(t, tried); err != nil {
			t.Errorf("production settings tried out on one machine: %v", err)
		}
	}
}

func TestConfig_DamagedEnvFileDoesNotShowItsSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("OPONN_SECRET hunter2 hunter2\n'"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := readConfig(t, nil)
	if err == nil || !strings.Contains(err.Error(), ".env") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestConfig_StreamsFollowTheDescriptors(t *testing.T) {
	for files, want := range map[uint64]int{1024: 768, 20_000: 15_000, 1 << 20: 50_000, 1<<64 - 1: 50_000} {
		var r reader
		if got := r.streams("OPONN_MAX_STREAMS", "", files); got != want {
			t.Errorf("%d files: %d streams, want %d", files, got, want)
		}
	}
	if files := openFiles(); files < 16 {
		t.Errorf("openFiles: %d", files)
	}
}

// TestSettings_EverythingIsDocumented checks that --help names every variable
// and what happens without it.
func TestSettings_EverythingIsDocumented(t *testing.T) {
	t.Chdir(t.TempDir())
	var cli commands
	var help strings.Builder
	if command, err := cli.parse([]string{"serve", "--help"}, terminal{out: &help, err: io.Discard}); command != nil || err != nil {
		t.Fatalf("help: %v, %v", command, err)
	}
	text := strings.Join(strings.Fields(help.String()), " ")
	for _, settings := range []reflect.Type{reflect.TypeFor[settings](), reflect.TypeFor[storageSettings]()} {
		for i := range settings.NumField() {
			field := settings.Field(i)
			if field.Anonymous {
				continue
			}
			for name := range strings.SplitSeq(field.Tag.Get("env"), ",") {
				if name == "" || !strings.Contains(text, "["+name+"]") {
					t.Errorf("%s: %q is not in the help", field.Name, name)
				}
			}
			if words := field.Tag.Get("help"); !strings.Contains(words, "Default: ") && field.Name != "TLSKey" {
				t.Errorf("%s: the help does not say what the default is", field.Name)
			}
		}
	}
}

func TestDataDir_LockIsForOne(t *testing.T) {
	dir := dataDir(filepath.Join(t.TempDir(), "data"))
	if err := dir.make(); err != nil {
		t.Fatal(err)
	}
	first, err := dir.lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.lock(); err == nil || !strings.Contains(err.Error(), "just started") {
		t.Errorf("second lock, before the first has said who it is: %v", err)
	}
	if err := first.note("127.0.0.1:65535", "127.0.0.1:65534"); err != nil {
		t.Fatal(err)
	}
	if err := first.note("127.0.0.1:80", "127.0.0.1:81"); err != nil {
		t.Fatal(err)
	}
	_, err = dir.lock()
	if err == nil || !strings.Contains(err.Error(), "address 127.0.0.1:80, ops 127.0.0.1:81)") {
		t.Errorf("second lock: %v, want one that names the first", err)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	again, err := dir.lock()
	if err != nil {
		t.Fatalf("lock after release: %v", err)
	}
	if err := again.release(); err != nil {
		t.Error(err)
	}
}
