package postgres

import (
	"encoding/binary"
	"time"
)

// Parameters and results are in the binary format of the protocol: integers
// big-endian, times in microseconds since 2000, arrays as in array_recv of
// Postgres. Encoding them here, without reflection or an allocation for every
// value, halves what a vote costs this process.

// The object ids of element types; they never change.
const (
	oidBytea       = 17
	oidBigint      = 20
	oidInt         = 23
	oidText        = 25
	oidTimestamptz = 1184
	oidUUID        = 2950
)

// epoch is 2000-01-01 in microseconds since 1970.
const epoch = 946_684_800_000_000

func bigint(n int64) []byte      { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
func integer(n int) []byte       { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
func instant(t time.Time) []byte { return bigint(t.UnixMicro() - epoch) }
func instantOrNil(t time.Time) []byte {
	if t.IsZero() {
		return nil
	}
	return instant(t)
}
func blob(b []byte) []byte            { return append([]byte{}, b...) } // nil would be null
func uuid[ID ~[16]byte](id ID) []byte { return id[:] }

// array is an array under construction.
type array struct {
	bytes  []byte
	length int
}

const arrayHeader = 20

// newArray makes an array of one dimension, with room for n elements of size
// bytes each.
func newArray(oid uint32, n, size int) array {
	b := make([]byte, 0, arrayHeader+n*(4+size))
	b = binary.BigEndian.AppendUint32(b, 1) // dimensions
	b = binary.BigEndian.AppendUint32(b, 0) // no nulls
	b = binary.BigEndian.AppendUint32(b, oid)
	b = binary.BigEndian.AppendUint32(b, 0) // the length, in the end
	b = binary.BigEndian.AppendUint32(b, 1) // the first index
	return array{bytes: b}
}

func (a *array) element(size int) {
	a.length++
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, uint32(size))
}

func (a *array) bigint(n int64) {
	a.element(8)
	a.bytes = binary.BigEndian.AppendUint64(a.bytes, uint64(n))
}

func (a *array) integer(n int) {
	a.element(4)
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, uint32(n))
}

func (a *array) instant(t time.Time) { a.bigint(t.UnixMicro() - epoch) }

// instantOrNull adds null for the zero time.
func (a *array) instantOrNull(t time.Time) {
	if !t.IsZero() {
		a.instant(t)
		return
	}
	binary.BigEndian.PutUint32(a.bytes[4:], 1) // there are nulls
	a.length++
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, ^uint32(0))
}

func (a *array) blob(b []byte) {
	a.element(len(b))
	a.bytes = append(a.bytes, b...)
}

// done returns the array as a parameter.
func (a *array) done() []byte {
	binary.BigEndian.PutUint32(a.bytes[12:], uint32(a.length))
	return a.bytes
}

// uuids returns an array of ids.
func uuids[ID ~[16]byte](ids []ID) []byte {
	a := newArray(oidUUID, len(ids), 16)
	for i := range ids {
		a.blob(ids[i][:])
	}
	return a.done()
}
