package bus

import (
	"strconv"
	"strings"

	"github.com/oponn/oponn"
)

// A ballot's channel is namespace:1:{tag}:id. The 1 is the format of what is
// published there. The tag, one of sixteen, follows from the id: in a cluster
// all channels of a tag are in one slot, so that one connection can carry
// them, and the tags spread over the nodes. To a single server it is a name.
const tags = 16

func tagOf(ballot oponn.BallotID) int { return int(ballot[0]) % tags }

func (r *Redis) tagged(tag int, rest string) string {
	return r.cfg.namespace + ":1:{" + strconv.FormatInt(int64(tag), tags) + "}:" + rest
}

func (r *Redis) channel(ballot oponn.BallotID) string {
	return r.tagged(tagOf(ballot), ballot.String())
}

// keepalive is the channel that a connection subscribes to before any ballot,
// on which nobody publishes. It puts the connection on the right node.
func (r *Redis) keepalive(tag int) string { return r.tagged(tag, "keepalive") }

func (r *Redis) ballotOf(channel string) (oponn.BallotID, bool) {
	ballot, err := oponn.ParseBallotID(channel[strings.LastIndexByte(channel, ':')+1:])
	return ballot, err == nil && r.channel(ballot) == channel
}
