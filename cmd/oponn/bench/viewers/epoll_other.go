//go:build !linux

package viewers

import "context"

func gatherCheap(ctx context.Context, c Config) (Crowd, error) { return gatherOrdinary(ctx, c) }
