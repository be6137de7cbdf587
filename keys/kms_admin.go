package keys

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	// kmsAdminDeadline bounds a call that an operator waits for.
	kmsAdminDeadline = 10 * time.Second
	// kmsOrphanDays is how long KMS keeps a key that lost a race: its minimum.
	kmsOrphanDays = 7
	aliasPrefix   = "alias/"
)

// InitKMS sees to it that the alias names a usable master key, and returns the
// key's ARN. A missing key is made, rotated yearly, and given the alias; what
// is there is left as it is, so that it may be called again. It needs
// kms:DescribeKey, and to make one kms:CreateKey, kms:EnableKeyRotation and
// kms:CreateAlias. The alias may be given without "alias/"; cfg.KeyID is not
// looked at.
func InitKMS(ctx context.Context, cfg KMSConfig, alias string) (keyID string, err error) {
	alias = aliasPrefix + strings.TrimPrefix(alias, aliasPrefix)
	cfg.Deadline = max(cfg.Deadline, kmsAdminDeadline)
	c, err := dialKMS(ctx, cfg)
	if err != nil {
		return "", err
	}
	meta, err := c.describe(ctx, alias)
	if answered(err, "NotFoundException") {
		meta, err = c.create(ctx, alias)
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(meta.Arn), usable(meta)
}

// create makes a key and its alias. Where another process was faster with the
// alias, its key is the key, and ours goes.
func (c *kmsCalls) create(ctx context.Context, alias string) (*types.KeyMetadata, error) {
	out, err := call(ctx, c, opCreate, alias, c.api.CreateKey, &kms.CreateKeyInput{
		Description: aws.String("Oponn: wraps the data keys of ballots"),
		KeySpec:     types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt,
	})
	if err != nil {
		return nil, err
	}
	id := out.KeyMetadata.KeyId
	if _, err := call(ctx, c, opRotate, aws.ToString(id), c.api.EnableKeyRotation,
		&kms.EnableKeyRotationInput{KeyId: id}); err != nil {
		return nil, err
	}
	_, err = call(ctx, c, opAlias, alias, c.api.CreateAlias, &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: id})
	if err == nil {
		return out.KeyMetadata, nil
	}
	if !answered(err, "AlreadyExistsException") {
		return nil, err
	}
	if _, err := call(ctx, c, opDelete, aws.ToString(id), c.api.ScheduleKeyDeletion,
		&kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(kmsOrphanDays)}); err != nil {
		return nil, err
	}
	return c.describe(ctx, alias)
}

// KMSStatus describes a master key. Times are zero where there is none.
type KMSStatus struct {
	ARN   string
	State string // Enabled, Disabled, PendingDeletion …
	// Usable tells whether OpenKMS would take the key, rights aside.
	Usable  bool
	Created time.Time
	// Deletion is when KMS will delete the key: nothing opens after that.
	Deletion time.Time
	// Rotating tells whether KMS renews the key's material by itself, every
	// RotationDays. Old wrapped keys stay readable, and the ARN the same.
	Rotating     bool
	RotationDays int
	NextRotation time.Time
}

// StatusKMS describes the master key that cfg names. It needs kms:DescribeKey
// and kms:GetKeyRotationStatus.
func StatusKMS(ctx context.Context, cfg KMSConfig) (KMSStatus, error) {
	cfg.Deadline = max(cfg.Deadline, kmsAdminDeadline)
	c, err := dialKMS(ctx, cfg)
	if err != nil {
		return KMSStatus{}, err
	}
	meta, err := c.describe(ctx, cfg.KeyID)
	if err != nil {
		return KMSStatus{}, err
	}
	status := KMSStatus{
		ARN: aws.ToString(meta.Arn), State: string(meta.KeyState), Usable: usable(meta) == nil,
		Created: aws.ToTime(meta.CreationDate), Deletion: aws.ToTime(meta.DeletionDate),
	}
	if meta.KeyState == types.KeyStatePendingDeletion {
		return status, nil // of such a key KMS tells nothing more
	}
	rotation, err := call(ctx, c, opRotation, status.ARN, c.api.GetKeyRotationStatus,
		&kms.GetKeyRotationStatusInput{KeyId: &status.ARN})
	if err != nil {
		return KMSStatus{}, err
	}
	status.Rotating = rotation.KeyRotationEnabled
	status.RotationDays = int(aws.ToInt32(rotation.RotationPeriodInDays))
	status.NextRotation = aws.ToTime(rotation.NextRotationDate)
	return status, nil
}
