package keys

import (
	"fmt"
	"io"
	"log/slog"
)

// What holds secrets says its name and nothing else, whichever verb it is
// printed with: without Format, %d would show the fields. Where it is a field
// that is not exported, fmt can't call these methods, and shows what it reaches
// within two pointers: no secret is kept that near.

func (k *dataKey) String() string               { return "keys.dataKey(" + k.ballot.String() + ", redacted)" }
func (k *dataKey) GoString() string             { return k.String() }
func (k *dataKey) Format(s fmt.State, _ rune)   { _, _ = io.WriteString(s, k.String()) }
func (k *dataKey) LogValue() slog.Value         { return slog.StringValue(k.String()) }
func (d derivation) String() string             { return "keys.derivation(redacted)" }
func (d derivation) GoString() string           { return d.String() }
func (d derivation) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, d.String()) }
func (d derivation) LogValue() slog.Value       { return slog.StringValue(d.String()) }

// String returns the KEK's id. So does every other way to print it.
func (k *LocalKEK) String() string { return "keys.LocalKEK(" + k.id + ", redacted)" }

// GoString returns what String returns.
func (k *LocalKEK) GoString() string { return k.String() }

// Format writes what String returns, for every verb.
func (k *LocalKEK) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// LogValue returns what String returns.
func (k *LocalKEK) LogValue() slog.Value { return slog.StringValue(k.String()) }

// String returns the KEK's id. So does every other way to print it.
func (k *KMSKEK) String() string { return "keys.KMSKEK(" + k.arn + ", redacted)" }

// GoString returns what String returns.
func (k *KMSKEK) GoString() string { return k.String() }

// Format writes what String returns, for every verb.
func (k *KMSKEK) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// LogValue returns what String returns.
func (k *KMSKEK) LogValue() slog.Value { return slog.StringValue(k.String()) }
