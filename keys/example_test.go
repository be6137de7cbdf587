package keys_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/oponn/oponn"
	"github.com/oponn/oponn/keys"
)

func ExampleRing() {
	dir, err := os.MkdirTemp("", "oponn")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	kek, err := keys.OpenLocal(filepath.Join(dir, "key"))
	if err != nil {
		panic(err)
	}
	ctx, ballot := context.Background(), oponn.NewBallotID()

	// One instance makes the ballot and stores wrapped and sealed.
	wrapped, key, err := keys.NewRing(kek).Create(ctx, ballot)
	if err != nil {
		panic(err)
	}
	sealed := key.Seal(nil, []byte("Tea or coffee?"), oponn.FieldDefinition)

	// Another reads them.
	key, err = keys.NewRing(kek).Open(ctx, ballot, wrapped)
	if err != nil {
		panic(err)
	}
	question, err := key.Open(nil, sealed, oponn.FieldDefinition)
	fmt.Printf("%s %v\n", question, err)

	// The same value in another place is refused.
	_, err = key.Open(nil, sealed, oponn.FieldState)
	fmt.Println(oponn.CodeOf(err))
	// Output:
	// Tea or coffee? <nil>
	// internal
}
