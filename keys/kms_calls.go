package keys

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/sony/gobreaker/v2"
)

const (
	kmsAttempts     = 2                     // of one call, within its deadline
	kmsBackoff      = 50 * time.Millisecond // between them, at most
	kmsConnections  = 64                    // kept idle: a burst of ballots waking up
	breakerFailures = 5                     // in a row open the breaker
	breakerPause    = retryAfter            // until it lets one call try
)

// operation is a call of KMS, by the name that IAM gives it.
type operation string

const (
	opGenerate  operation = "GenerateDataKey"
	opDecrypt   operation = "Decrypt"
	opReEncrypt operation = "ReEncrypt"
	opDescribe  operation = "DescribeKey"
	opRotation  operation = "GetKeyRotationStatus"
	opCreate    operation = "CreateKey"
	opRotate    operation = "EnableKeyRotation"
	opAlias     operation = "CreateAlias"
	opDelete    operation = "ScheduleKeyDeletion"
)

// kmsCalls is the client of KMS with what every call gets: a deadline, a
// breaker, a verdict on its error, a note in health.
type kmsCalls struct {
	api              *kms.Client
	region, endpoint string
	deadline         time.Duration
	breaker          *gobreaker.CircuitBreaker[struct{}]
	health           *kmsHealth
	meters           kmsMeters
}

func dialKMS(ctx context.Context, cfg KMSConfig) (*kmsCalls, error) {
	loaded, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
		o.Region, o.BaseEndpoint, o.Credentials = cfg.Region, cfg.Endpoint, cfg.Credentials
		return nil
	})
	if err != nil {
		return nil, refused("the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return nil, refused("no AWS region: set AWS_REGION")
	}
	api := kms.NewFromConfig(loaded, func(o *kms.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = kmsAttempts, kmsBackoff
		})
		o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = kmsConnections, kmsConnections
		})
	})
	breaker := newBreaker()
	return &kmsCalls{
		api: api, region: loaded.Region, endpoint: aws.ToString(api.Options().BaseEndpoint),
		deadline: cmp.Or(cfg.Deadline, DefaultDeadline),
		breaker:  breaker,
		meters:   newKMSMeters(cfg.Meter, breaker),
		health:   newKMSHealth(cmp.Or(cfg.Logger, slog.Default())),
	}, nil
}

func newBreaker() *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         "kms",
		Timeout:      breakerPause,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFailures },
		IsSuccessful: func(err error) bool { return judge(err) != unreachable },
		IsExcluded:   func(err error) bool { return judge(err) == untold },
	})
}

// call makes one call to KMS about a ballot or key.
func call[In, Out any](ctx context.Context, c *kmsCalls, op operation, about string,
	send func(context.Context, *In, ...func(*kms.Options)) (*Out, error), in *In,
) (*Out, error) {
	ctx, cancel := context.WithTimeout(ctx, c.deadline)
	defer cancel()
	var out *Out
	called := time.Now()
	_, err := c.breaker.Execute(func() (_ struct{}, err error) {
		began := time.Now()
		out, err = send(ctx, in)
		if err != nil && ctx.Err() != nil && time.Since(began) < min(c.deadline, DefaultDeadline)/2 {
			// The caller left or had too little time, which tells nothing of KMS.
			err = &leftError{err}
		}
		return struct{}{}, err
	})
	if err == nil && out == nil {
		err = errors.New("no answer") // the SDK panicked, or worse
	}
	v := judge(err)
	c.meters.called(op, v, called)
	c.health.note(op, about, v, err)
	if err = coded(op, about, v, err); err != nil {
		return nil, err
	}
	return out, nil
}

// describe asks for a key's metadata.
func (c *kmsCalls) describe(ctx context.Context, keyID string) (*types.KeyMetadata, error) {
	if keyID == "" {
		return nil, refused("no KMS key: set OPONN_KMS_KEY_ID")
	}
	out, err := call(ctx, c, opDescribe, keyID, c.api.DescribeKey, &kms.DescribeKeyInput{KeyId: &keyID})
	if err != nil {
		return nil, err
	}
	if out.KeyMetadata == nil {
		return nil, refused("KMS described the key %s with nothing", keyID)
	}
	return out.KeyMetadata, nil
}
