package yardstick

import (
	"testing"

	"github.com/oponn/oponn/persistence/postgres/pgtest"
)

// seasoned starts a Postgres that writes its log into files that are there
// already, as one does that has run for a while. A new one makes them as it
// goes, 16 MB of zeros and an fsync each, and everybody waits for that.
func seasoned(b *testing.B, buffers string) *pgtest.Server {
	b.Helper()
	server := pgtest.NewServer(b, "shared_buffers="+buffers, "min_wal_size=1GB", "max_wal_size=8GB")
	execute(b, server.URL(), `do $$ begin
		for i in 1..64 loop
			perform pg_logical_emit_message(false, 'oponn', 'a byte');
			perform pg_switch_wal();
		end loop;
	end $$`)
	execute(b, server.URL(), "checkpoint") // what was written before is written anew
	return server
}
