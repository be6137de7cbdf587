package bus

import "github.com/oponn/oponn"

// For tests: the wire format and the names of channels.
var (
	EncodeNotice = encodeNotice
	DecodeNotice = decodeNotice
)

// MaxSealed is the longest sealed state of a notice.
const MaxSealed = maxSealed

// Channel returns the channel of a ballot.
func (r *Redis) Channel(ballot oponn.BallotID) string { return r.channel(ballot) }

// Channels returns what this bus should be subscribed to.
func (r *Redis) Channels() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var channels []string
	for ballot := range r.followed {
		channels = append(channels, r.channel(ballot))
	}
	for _, l := range r.links {
		channels = append(channels, r.keepalive(l.part))
	}
	return channels
}
