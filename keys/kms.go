package keys

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/oponn/oponn"
)

// KMSConfig says how AWS KMS is reached. What is left empty comes from the
// environment and the files that every AWS tool reads.
type KMSConfig struct {
	// KeyID is the master key: an alias ("alias/oponn"), a key id or an ARN.
	KeyID string
	// Region is for example eu-central-1; by default AWS_REGION.
	Region string
	// Endpoint replaces the address of AWS, as AWS_ENDPOINT_URL does.
	Endpoint string
	// Credentials sign the calls; nil stands for the usual chain: environment,
	// shared files, the role of the container or machine.
	Credentials aws.CredentialsProvider
	// Deadline bounds one call, with its second attempt; 0 is DefaultDeadline.
	Deadline time.Duration
	// Logger is told of outages and denials; nil stands for slog.Default().
	Logger *slog.Logger
	// Meter measures the calls; nil for none. Give it to one master key, the
	// one that new keys are wrapped with.
	Meter oponn.Meter
}

// KMSKEK is a master key in AWS KMS, which never leaves it: symmetric, for
// encrypting and decrypting. It is safe for concurrent use and holds nothing to
// close. It needs kms:DescribeKey, kms:GenerateDataKey and kms:Decrypt, and for
// rotation kms:ReEncryptFrom on the old key and kms:ReEncryptTo on the new one.
//
// A call ends within its deadline. After five failures in a row a circuit
// breaker answers in its place for a second, then lets one call try.
//
// Errors are CodeKeysUnavailable when KMS can't be reached, is throttling us or
// has a fault of its own, the same with oponn.ErrKeyDenied when it said no
// (access denied, key disabled or gone), and CodeInternal for a ciphertext that
// is not of this key and ballot.
type KMSKEK struct {
	arn      string
	region   string
	endpoint string
	calls    *kmsCalls
}

var (
	_ Wrapper   = (*KMSKEK)(nil)
	_ Rewrapper = (*KMSKEK)(nil)
)

// OpenKMS finds the master key and proves that it can be used, by wrapping and
// unwrapping a data key that nobody uses. Its errors have the codes of KMSKEK;
// CodeInternal is also what a configuration gets that can't work.
func OpenKMS(ctx context.Context, cfg KMSConfig) (*KMSKEK, error) {
	c, err := dialKMS(ctx, cfg)
	if err != nil {
		return nil, err
	}
	meta, err := c.describe(ctx, cfg.KeyID)
	if err != nil {
		return nil, err
	}
	if err := usable(meta); err != nil {
		return nil, err
	}
	k := &KMSKEK{arn: aws.ToString(meta.Arn), region: c.region, endpoint: c.endpoint, calls: c}
	if err := k.Probe(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// usable tells what is wrong with a key that can't be a KEK.
func usable(meta *types.KeyMetadata) error {
	arn := aws.ToString(meta.Arn)
	switch {
	case meta.KeySpec != types.KeySpecSymmetricDefault || meta.KeyUsage != types.KeyUsageTypeEncryptDecrypt:
		return refused("the KMS key %s is of spec %s for %s: it has to be %s for %s",
			arn, meta.KeySpec, meta.KeyUsage, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
	case meta.KeyState != types.KeyStateEnabled:
		return refused("the KMS key %s is in the state %s: it has to be %s", arn, meta.KeyState, types.KeyStateEnabled)
	}
	return nil
}

// ID returns the key's ARN. An alias may point elsewhere tomorrow.
func (k *KMSKEK) ID() string { return k.arn }

// Generate lets KMS make and wrap a DEK.
func (k *KMSKEK) Generate(ctx context.Context, ballot oponn.BallotID) (plain, blob []byte, err error) {
	plain, sealed, err := k.generate(ctx, ballot)
	if err != nil {
		return nil, nil, err
	}
	return plain, kmsBlob{ciphertext: sealed}.bytes(), nil
}

func (k *KMSKEK) generate(ctx context.Context, ballot oponn.BallotID) (plain, ciphertext []byte, err error) {
	out, err := call(ctx, k.calls, opGenerate, ballot.String(), k.calls.api.GenerateDataKey, &kms.GenerateDataKeyInput{
		KeyId: &k.arn, KeySpec: types.DataKeySpecAes256, EncryptionContext: EncryptionContext(ballot),
	})
	if err != nil {
		return nil, nil, err
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// Unwrap lets KMS decrypt a blob, under this key and no other.
func (k *KMSKEK) Unwrap(ctx context.Context, ballot oponn.BallotID, kekID string, blob []byte) ([]byte, error) {
	if kekID != k.arn {
		return nil, refused("ballot %s: its data key was wrapped by the master key %q, this process has %q: "+
			"configure the former one too until all keys are rewrapped", ballot, kekID, k.arn)
	}
	b, err := readKMSBlob(ballot, blob)
	if err != nil {
		return nil, err
	}
	out, err := call(ctx, k.calls, opDecrypt, ballot.String(), k.calls.api.Decrypt, &kms.DecryptInput{
		KeyId: &k.arn, CiphertextBlob: b.ciphertext, EncryptionContext: EncryptionContext(ballot),
	})
	if err != nil {
		return nil, err
	}
	if b.adopted == nil {
		return out.Plaintext, nil
	}
	defer clear(out.Plaintext)
	return b.open(ballot, out.Plaintext)
}

// Probe asks KMS for both things that serving needs, so that Health knows
// although nobody came by. It costs two calls.
func (k *KMSKEK) Probe(ctx context.Context) error {
	var nobody oponn.BallotID
	plain, blob, err := k.Generate(ctx, nobody)
	clear(plain)
	if err != nil {
		return err
	}
	plain, err = k.Unwrap(ctx, nobody, k.arn, blob)
	clear(plain)
	return err
}

// Health returns how KMS answered of late. It asks nobody: see Probe.
func (k *KMSKEK) Health() Health { return k.calls.health.now() }
