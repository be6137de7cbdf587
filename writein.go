package oponn

import "fmt"

// WriteIn is an option that a voter added. Its text is stored once, here;
// votes refer to it by its id.
type WriteIn struct {
	// Number counts a ballot's write-ins from 1, in the order they came; it is
	// the write-in's place in State.Counts, after the owner's options.
	Number int
	Option Option
}

// SealedWriteIn is a write-in as the store keeps it.
type SealedWriteIn struct {
	Number int
	ID     OptionID
	Sealed []byte // the label
}

// OpenWriteIns opens the labels of write-ins. Errors are CodeInternal.
func OpenWriteIns(key Key, sealed []SealedWriteIn) ([]WriteIn, error) {
	opened := make([]WriteIn, 0, len(sealed))
	for _, s := range sealed {
		label, err := key.Open(nil, s.Sealed, FieldWriteIn, []byte(s.ID))
		if err != nil {
			return nil, fmt.Errorf("open write-in %d: %w", s.Number, err)
		}
		opened = append(opened, WriteIn{Number: s.Number, Option: Option{ID: s.ID, Label: string(label), WriteIn: true}})
	}
	return opened, nil
}

func sealWriteIn(key Key, w WriteIn) SealedWriteIn {
	return SealedWriteIn{Number: w.Number, ID: w.Option.ID,
		Sealed: key.Seal(nil, []byte(w.Option.Label), FieldWriteIn, []byte(w.Option.ID))}
}
