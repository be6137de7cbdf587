package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/joho/godotenv"
)

// settings are what can be set, as text; config is what they mean. An empty
// text is the default. Every flag has a variable of the same name.
type settings struct {
	Addr      string `env:"OPONN_ADDR" default:":8080" placeholder:"HOST:PORT" help:"Address to serve on; without a host, on all of this machine's. Default: ${default}."`
	OpsAddr   string `env:"OPONN_OPS_ADDR" default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address of the operators' listener: a live console, /healthz and /readyz. Default: ${default}."`
	PublicURL string `env:"OPONN_PUBLIC_URL" placeholder:"URL" help:"Where the world finds this service: scheme and host. Links, QR codes and cookies follow it. Required in production. Default: the host that was asked."`
	Env       string `env:"OPONN_ENV" default:"development" placeholder:"NAME" help:"development or production. Default: ${default}."`
	storageSettings
	RedisURL       string `env:"REDIS_URL" placeholder:"URL" help:"Redis, through which instances tell each other what moved (redis:// or rediss://). Required in production. Default: a bus within the process."`
	Secret         string `env:"OPONN_SECRET" placeholder:"TEXT,…" help:"What signs cookies and voter tokens: random texts of at least 32 characters. Of several, by comma, the first signs and all verify. Better set as a variable: flags are seen by every user of the machine. Required in production. Default: made on first start and kept in the data directory."`
	TrustedProxies string `env:"OPONN_TRUSTED_PROXIES" placeholder:"CIDR,…" help:"Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8. Default: none."`
	TLSCert        string `env:"OPONN_TLS_CERT" name:"tls-cert" placeholder:"FILE" help:"Certificate chain (PEM), to serve HTTPS and HTTP/2 without a proxy. Default: plain HTTP."`
	TLSKey         string `env:"OPONN_TLS_KEY" name:"tls-key" placeholder:"FILE" help:"Private key (PEM) of the certificate."`
	RateLimits     string `env:"OPONN_RATE_LIMITS" default:"on" placeholder:"on|off" help:"Hold back addresses that ask for too much; off for load tests. Default: ${default}."`
	VoterTokens    string `env:"OPONN_VOTER_TOKENS" placeholder:"on|off" help:"Hand out voter tokens to clients of the API. Default: on in development, off in production."`
	DrainDelay     string `env:"OPONN_DRAIN_DELAY" placeholder:"TIME" help:"How long to keep serving, unready, after the signal to end. Default: 0s in development, 5s in production."`
	FrameInterval  string `env:"OPONN_FRAME_INTERVAL" default:"100ms" placeholder:"TIME" help:"Least time between two updates of a live result. Default: ${default}."`
	MaxWaiting     string `env:"OPONN_MAX_WAITING" default:"20000" placeholder:"N" help:"Most votes on one ballot that may wait to be committed; others are told at once to come later. Default: ${default}."`
	IdleAfter      string `env:"OPONN_IDLE_AFTER" default:"2m" placeholder:"TIME" help:"How long a ballot without votes and viewers stays in memory. Default: ${default}."`
	MaxStreams     string `env:"OPONN_MAX_STREAMS" placeholder:"N" help:"Most live results watched at the same time. Default: three quarters of the files that the process may open, at most 50000."`
	ReusePort      string `env:"OPONN_REUSE_PORT" default:"off" placeholder:"on|off" help:"Let several instances of one machine serve on the same address (SO_REUSEPORT). Default: ${default}."`
	LocalKMS       string `env:"OPONN_LOCAL_KMS" default:"off" placeholder:"on|off" help:"Allow in production a KMS on this machine, or in a container beside this one, without TLS, such as LocalStack: for trying out production settings, never for real ballots. Default: ${default}."`
	PrivacyFile    string `env:"OPONN_PRIVACY_FILE" placeholder:"FILE" help:"Text of the page /privacy, at most 64 KiB: paragraphs between empty lines; one that begins with # is a heading, lines that begin with a dash are a list. Default: what the program itself stores."`
	ImprintFile    string `env:"OPONN_IMPRINT_FILE" placeholder:"FILE" help:"Text of the page /imprint, written like that of /privacy. Default: no such page."`
	ReportTo       string `env:"OPONN_REPORT_TO" placeholder:"URL" help:"Where else ballots can be reported, mailto:… or https://…, shown beside the form whose reports are lines of the log. Default: nowhere."`
	LogLevel       string `env:"OPONN_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error. Default: ${default}."`
}

// storageSettings say where ballots and keys are.
type storageSettings struct {
	DataDir     string `env:"OPONN_DATA_DIR" default:"./data" placeholder:"DIR" help:"Directory of the database and the key file; one server uses it at a time. With Postgres only the key file and the secret are there, which instances of one machine may share. Default: ${default}."`
	DatabaseURL string `env:"DATABASE_URL" placeholder:"URL" help:"Postgres 15 or later (postgres://…). Required in production. Default: SQLite in the data directory."`
	KMSKeyID    string `env:"OPONN_KMS_KEY_ID" name:"kms-key-id" placeholder:"ID" help:"Master key in AWS KMS: alias, id or ARN. Of several, by comma, the first wraps and all open, until oponn keys rotate has moved everything. Required in production. Default: a key file in the data directory."`
	AWSRegion   string `env:"AWS_REGION" name:"aws-region" placeholder:"REGION" help:"Region of the KMS. Default: as the AWS tools find it."`
	AWSEndpoint string `env:"AWS_ENDPOINT_URL_KMS,AWS_ENDPOINT_URL" name:"aws-endpoint-url" placeholder:"URL" help:"Address of another KMS than that of AWS, such as LocalStack. Default: that of AWS."`
}

// loadEnvironment takes variables that are not set from a file, if it is
// there. It unsets empty ones, so that KEY= means the default, as people
// expect who fill in such files.
func loadEnvironment(file string) error {
	if err := godotenv.Load(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usageError{fmt.Errorf("oponn: %s can't be read: it has to consist of lines NAME=value", file)} // the cause may quote a secret
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if value == "" && strings.HasPrefix(name, "OPONN_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}
