package yardstick

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
)

// What the load tester asks of a server besides votes, as these servers answer
// it: one ballot with four options, and tokens that nobody reads.
const (
	oneBallot = "oneballotoneballotoneb"
	ballotDoc = `{"id":"` + oneBallot + `","options":[{"id":"1"},{"id":"2"},{"id":"3"},{"id":"4"}]}`
	noResults = `{"ballot":"` + oneBallot + `","version":1,"votes":0,"options":[]}`
	// anyReceipt is as long as Oponn's.
	anyReceipt = `{"vote_id":"9b2f0a44-7d0c-4f4e-8a52-0d6c1c3f5a10","receipt":` +
		`"Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy","version":1234,"at":"2026-01-02T03:04:05.678901Z"}`
)

// anyToken is as long as Oponn's.
var anyToken = strings.Repeat("Tk9ORSE", 11)[:75]

// serveVotes serves the routes that the load tester asks for, with the given
// handler for votes.
func serveVotes(vote echo.HandlerFunc) error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	document := func(status int, body string) echo.HandlerFunc {
		return func(c echo.Context) error { return c.Blob(status, "application/json", []byte(body)) }
	}
	e.GET("/", document(http.StatusOK, "{}"))
	e.POST("/api/v1/ballots", document(http.StatusCreated, ballotDoc))
	e.GET("/api/v1/ballots/:id", document(http.StatusOK, ballotDoc))
	e.GET("/api/v1/ballots/:id/results", document(http.StatusOK, noResults))
	e.POST("/api/v1/voters", document(http.StatusCreated, `{"tokens":["`+strings.Repeat(anyToken+`","`, 999)+anyToken+`"]}`))
	e.POST("/api/v1/ballots/:id/votes", vote)
	return e.Start(os.Getenv(addrVariable))
}

// voteLimit is Oponn's bound of a vote's body.
const voteLimit = 8 << 10

// runBare is a bare handler: it reads the body within its bound and answers.
func runBare() error {
	receipt := []byte(anyReceipt)
	return serveVotes(func(c echo.Context) error {
		if _, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, voteLimit)); err != nil {
			return err
		}
		return c.Blob(http.StatusCreated, "application/json", receipt)
	})
}

// runTextbook is the handler of the textbook: a transaction for each vote.
func runTextbook() error {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(os.Getenv(databaseVariable))
	if err != nil {
		return err
	}
	config.MaxConns = 32
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, `create table vote (ballot text, voter text, choice text, primary key (ballot, voter));
		create table tally (ballot text primary key, n bigint not null);
		insert into tally values ('`+oneBallot+`', 0)`)
	if err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	receipt := []byte(anyReceipt)
	return serveVotes(func(c echo.Context) error {
		r := c.Request()
		body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, voteLimit))
		if err != nil {
			return err
		}
		err = pgx.BeginFunc(r.Context(), pool, func(tx pgx.Tx) error {
			// Tokens are all alike here: a vote id stands for its voter.
			if _, err := tx.Exec(r.Context(), "insert into vote values ($1, $2, $3)", c.Param("id"), r.Header.Get("Idempotency-Key"), string(body)); err != nil {
				return err
			}
			_, err := tx.Exec(r.Context(), "update tally set n = n + 1 where ballot = $1", c.Param("id"))
			return err
		})
		if err != nil {
			return err
		}
		return c.Blob(http.StatusCreated, "application/json", receipt)
	})
}
