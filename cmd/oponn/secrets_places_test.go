package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/oponn/oponn/actors/bus/redistest"
)

// secret is what must not be seen, in no form.
type secret struct {
	what  string
	bytes []byte
	// known is where it may be all the same, because it is of use there.
	known []string
}

// in returns the form in which a text holds the secret.
func (s secret) in(text []byte) (form string) {
	folded := bytes.ToLower(text)
	forms := map[string]bool{
		"it is":     bytes.Contains(text, s.bytes),
		"hex":       bytes.Contains(folded, []byte(hex.EncodeToString(s.bytes))),
		"base64":    bytes.Contains(text, []byte(base64.RawStdEncoding.EncodeToString(s.bytes))),
		"base64url": bytes.Contains(text, []byte(base64.RawURLEncoding.EncodeToString(s.bytes))),
	}
	if len(s.bytes) == 16 {
		forms["a UUID"] = bytes.Contains(folded, []byte(uuid([16]byte(s.bytes))))
		forms["Go prints it"] = bytes.Contains(text, []byte(strings.Trim(fmt.Sprintf("%d", s.bytes[:8]), "[]")))
		forms["a stack shows it"] = bytes.Contains(text, fmt.Appendf(nil, "0x%x, 0x%x, 0x%x, 0x%x, 0x%x", s.bytes[0], s.bytes[1], s.bytes[2], s.bytes[3], s.bytes[4]))
	}
	for form, there := range forms {
		if there {
			return form
		}
	}
	return ""
}

func uuid(b [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// tokenSecrets are a voter token and the voter's id in it.
func tokenSecrets(t *testing.T, token string) []secret {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(payload) < 16 {
		t.Fatalf("a token of another form: %v", err)
	}
	return []secret{{what: "a voter token", bytes: []byte(token)}, {what: "a voter's id", bytes: payload[:16]}}
}

// dataKeys are the keys that KMS made for ballots.
func (c *cluster) dataKeys(t *testing.T) (keys []secret) {
	t.Helper()
	for _, request := range c.kms.Requests() {
		var made struct{ Plaintext []byte }
		if request.Op != "GenerateDataKey" || request.Response == nil {
			continue
		}
		if err := json.Unmarshal(request.Response, &made); err != nil || len(made.Plaintext) != 32 {
			t.Fatalf("a data key of %d bytes: %v", len(made.Plaintext), err)
		}
		keys = append(keys, secret{what: "a data key", bytes: made.Plaintext})
	}
	if len(keys) == 0 {
		t.Error("KMS made no key")
	}
	return keys
}

// dump returns every row of every table, as pg_dump would write them.
func (c *cluster) dump(t *testing.T) []byte {
	t.Helper()
	var tables []string
	c.query(t, "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')", func(row pgx.Rows) error {
		var table string
		err := row.Scan(&table)
		tables = append(tables, table)
		return err
	})
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var dump bytes.Buffer
	for _, table := range tables {
		if _, err := conn.PgConn().CopyTo(ctx, &dump, "copy "+table+" to stdout"); err != nil {
			t.Fatal(err)
		}
	}
	if len(tables) < 4 {
		t.Errorf("there are only the tables %v", tables)
	}
	return dump.Bytes()
}

// keysOf returns everything that Redis holds, names and values.
func keysOf(t *testing.T, address string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	db := redistest.Client(t, address)
	var all bytes.Buffer
	names := db.Scan(ctx, 0, "*", 1000).Iterator()
	for names.Next(ctx) {
		value, err := db.Dump(ctx, names.Val()).Result()
		if err != nil && !errors.Is(err, redis.Nil) { // it has just ended
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %s\n", names.Val(), value)
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

// listenIn notes all commands that Redis gets and all that is published. What
// it returns ends that, and returns the notes.
func listenIn(t *testing.T, address string) func() []byte {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	commands, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commands.Write([]byte("MONITOR\r\n")); err != nil {
		t.Fatal(err)
	}
	published := redistest.Client(t, address).PSubscribe(t.Context(), "*")
	if _, err := published.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	var notes output
	var listening sync.WaitGroup
	listening.Go(func() { _, _ = io.Copy(&notes, commands) })
	listening.Go(func() {
		for message := range published.Channel() {
			fmt.Fprintf(&notes, "%s %s\n", message.Channel, message.Payload)
		}
	})
	end := sync.OnceFunc(func() {
		_, _ = commands.Close(), published.Close()
		listening.Wait()
	})
	t.Cleanup(end)
	eventually(t, "Redis tells all", func() bool { return strings.HasPrefix(notes.String(), "+OK") })
	return func() []byte {
		end()
		return []byte(notes.String())
	}
}
