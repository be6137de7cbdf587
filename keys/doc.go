// Package keys seals what a ballot keeps: envelope encryption (NIST SP 800-57
// part 1) behind the port oponn.Keyring.
//
// Every ballot has a data key (DEK) of 256 random bits. A master key (KEK)
// wraps it; the store keeps the wrapped form, and only Ring opens it. The DEK
// itself is never used: HKDF-SHA-256 (RFC 5869), salted with the ballot's id,
// makes one subkey for each purpose of it, and then it is wiped.
//
//	subkey       used as                               for
//	commitment   itself, 32 bytes                      stored beside the wrapped DEK
//	seal         AES-256-GCM, random 96-bit nonce      Seal, Open
//	voter tag    HMAC-SHA-256, first 16 bytes          VoterTag
//	write-in id  HMAC-SHA-256, first 8 bytes           WriteInID
//	locator      AES-256-GCM, nonce made of the text   Locator, ReadLocator
//	locator iv   HMAC-SHA-256, first 12 bytes          that nonce
//
// A sealed value is version (1 byte), nonce (12), ciphertext, tag (16). Its
// associated data is a list of parts, each after its length: version, ballot,
// field, and what the caller binds it to.
//
// A Ring needs a KEK. LocalKEK keeps it in a file beside the database; KMSKEK
// leaves it in AWS KMS. An opened key is kept for 15 minutes, then refreshed:
// while KMS can't be reached it serves on, up to a day, and new ballots fail
// clearly; once KMS refuses, it is dropped. Ring.Rewrap moves a ballot from one
// KEK to another, with all that was sealed.
//
// Secrets stay in memory: no error, log line or %v of anything in this package
// shows one. That is a promise about what we write, not about the memory
// itself, which the garbage collector may have copied.
package keys
