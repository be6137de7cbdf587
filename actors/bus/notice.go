package bus

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/oponn/oponn"
)

// A notice on the wire, all numbers big endian:
//
//	byte     0       format: 1
//	byte     1       kind: 1 a head, 2 the ballot is gone, 3 a roll, 4 an age
//	bytes    2 … 17  ballot
//
// and of a head
//
//	bytes   18 … 25  version
//	bytes   26 … 33  position
//	bytes   34 … 41  voters
//	bytes   42 … 43  write-ins
//	bytes   44 …     the sealed state, to the end
//
// and of a roll, which releases that don't know it refuse
//
//	bytes   18 … 25  instance
//	bytes   26 … 29  watching
//	byte    30       1 when it asks, else 0
//
// and of an age, which they refuse too
//
//	bytes   18 … 25  instance
//	bytes   26 … 33  version
//	bytes   34 … 37  age in microseconds, a minute at most
//
// There is one spelling of every notice. Only the sealed state is
// authenticated, and bound to ballot and version: of the other numbers a
// receiver must believe nothing that matters.
const (
	noticeFormat = 1
	kindHead     = 1
	kindGone     = 2
	kindRoll     = 3
	kindAge      = 4

	goneSize   = 2 + 16
	headerSize = goneSize + 3*8 + 2
	rollSize   = goneSize + 8 + 4 + 1
	ageSize    = goneSize + 8 + 8 + 4
	// maxSealed is far more than a ballot with all options and write-ins has.
	maxSealed = 64 << 10
)

var (
	errNotice  = errors.New("not a notice")
	errTooLong = errors.New("notice out of bounds")
)

// encodeNotice returns a notice's bytes.
func encodeNotice(n oponn.Notice) ([]byte, error) {
	if n.Gone {
		return append([]byte{noticeFormat, kindGone}, n.Ballot[:]...), nil
	}
	if n.Roll != nil {
		return encodeRoll(n)
	}
	if n.Age != nil {
		return encodeAge(n)
	}
	h := n.Head
	if h.Ballot != n.Ballot || !sound(h) {
		return nil, errTooLong
	}
	b := make([]byte, 0, headerSize+len(h.Sealed))
	b = append(b, noticeFormat, kindHead)
	b = append(b, n.Ballot[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Version)
	b = binary.BigEndian.AppendUint64(b, h.Position)
	b = binary.BigEndian.AppendUint64(b, h.Voters)
	b = binary.BigEndian.AppendUint16(b, uint16(h.WriteIns))
	return append(b, h.Sealed...), nil
}

// decodeNotice reads what encodeNotice wrote, and nothing else.
func decodeNotice(b string) (oponn.Notice, error) {
	if len(b) < goneSize || len(b) > headerSize+maxSealed || b[0] != noticeFormat {
		return oponn.Notice{}, errNotice
	}
	n := oponn.Notice{Ballot: oponn.BallotID([]byte(b[2:goneSize]))}
	switch {
	case b[1] == kindGone && len(b) == goneSize:
		n.Gone = true
		return n, nil
	case b[1] == kindRoll && len(b) == rollSize && b[rollSize-1] <= 1:
		n.Roll = &oponn.Roll{Instance: binary.BigEndian.Uint64([]byte(b[goneSize:])),
			Watching: int(binary.BigEndian.Uint32([]byte(b[goneSize+8:]))), Asks: b[rollSize-1] == 1}
		return n, nil
	case b[1] == kindAge && len(b) == ageSize:
		return decodeAge(n, []byte(b[goneSize:]))
	case b[1] != kindHead || len(b) <= headerSize:
		return oponn.Notice{}, errNotice
	}
	header := []byte(b[goneSize:headerSize])
	n.Head = oponn.Head{
		Ballot:   n.Ballot,
		Version:  binary.BigEndian.Uint64(header),
		Position: binary.BigEndian.Uint64(header[8:]),
		Voters:   binary.BigEndian.Uint64(header[16:]),
		WriteIns: int(binary.BigEndian.Uint16(header[24:])),
		Sealed:   []byte(b[headerSize:]),
	}
	if !sound(n.Head) {
		return oponn.Notice{}, errNotice
	}
	return n, nil
}

// sound says whether a head is one that can be.
func sound(h oponn.Head) bool {
	return h.Version > 0 && h.Voters <= h.Position && h.WriteIns >= 0 && h.WriteIns <= oponn.MaxWriteIns &&
		len(h.Sealed) > 0 && len(h.Sealed) <= maxSealed
}

func encodeRoll(n oponn.Notice) ([]byte, error) {
	if n.Roll.Watching < 0 || int64(n.Roll.Watching) > math.MaxUint32 {
		return nil, errTooLong
	}
	b := append([]byte{noticeFormat, kindRoll}, n.Ballot[:]...)
	b = binary.BigEndian.AppendUint64(b, n.Roll.Instance)
	b = binary.BigEndian.AppendUint32(b, uint32(n.Roll.Watching))
	if n.Roll.Asks {
		return append(b, 1), nil
	}
	return append(b, 0), nil
}

func encodeAge(n oponn.Notice) ([]byte, error) {
	if n.Age.Age < 0 || n.Age.Age > oponn.MaxAge || n.Age.Version == 0 {
		return nil, errTooLong
	}
	b := append([]byte{noticeFormat, kindAge}, n.Ballot[:]...)
	b = binary.BigEndian.AppendUint64(b, n.Age.Instance)
	b = binary.BigEndian.AppendUint64(b, n.Age.Version)
	return binary.BigEndian.AppendUint32(b, uint32(n.Age.Age.Microseconds())), nil
}

func decodeAge(n oponn.Notice, b []byte) (oponn.Notice, error) {
	n.Age = &oponn.Age{Instance: binary.BigEndian.Uint64(b), Version: binary.BigEndian.Uint64(b[8:]),
		Age: time.Duration(binary.BigEndian.Uint32(b[16:])) * time.Microsecond}
	if n.Age.Version == 0 || n.Age.Age > oponn.MaxAge {
		return oponn.Notice{}, errNotice
	}
	return n, nil
}
