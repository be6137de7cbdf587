package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// scratch is a database of its own on a given Postgres: a load test touches
// nothing that is there.
type scratch struct {
	server, name string
	// url is that of the database.
	url string
}

// scratchPatience bounds making and dropping it.
const scratchPatience = 30 * time.Second

// makeScratch makes a database on the server that the URL leads to.
func makeScratch(ctx context.Context, server string) (*scratch, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("the URL of the database can't be read") // the cause may quote a password
	}
	s := &scratch{server: server, name: "oponn_bench_" + strings.ToLower(rand.Text()[:12])}
	u.Path = "/" + s.name
	s.url = u.String()
	if err := s.do(ctx, "create database "+s.name); err != nil {
		return nil, fmt.Errorf("a database for the test can't be made: %w", err)
	}
	return s, nil
}

// drop drops the database, whoever is still connected.
func (s *scratch) drop(ctx context.Context) error {
	if err := s.do(ctx, "drop database "+s.name+" with (force)"); err != nil {
		return fmt.Errorf("the database %s of the test is left behind: %w", s.name, err)
	}
	return nil
}

func (s *scratch) do(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, scratchPatience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
