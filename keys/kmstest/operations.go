package kmstest

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// input is what the operations take, all in one.
type input struct {
	KeyId             string //nolint:revive // the protocol's spelling
	KeySpec           string
	NumberOfBytes     int
	Plaintext         []byte
	CiphertextBlob    []byte
	EncryptionContext map[string]string

	SourceKeyId                  string //nolint:revive // the protocol's spelling
	SourceEncryptionContext      map[string]string
	DestinationKeyId             string //nolint:revive // the protocol's spelling
	DestinationEncryptionContext map[string]string

	AliasName           string
	TargetKeyId         string //nolint:revive // the protocol's spelling
	Description         string
	PendingWindowInDays int
}

type output map[string]any

var operations = map[string]func(*Server, *input) any{
	"GenerateDataKey":      (*Server).generateDataKey,
	"Encrypt":              (*Server).encrypt,
	"Decrypt":              (*Server).decrypt,
	"ReEncrypt":            (*Server).reEncrypt,
	"DescribeKey":          (*Server).describeKey,
	"CreateKey":            (*Server).createKey,
	"ScheduleKeyDeletion":  (*Server).scheduleKeyDeletion,
	"EnableKey":            setting(func(k *key) { k.state = enabled }),
	"DisableKey":           setting(func(k *key) { k.state = disabled }),
	"EnableKeyRotation":    setting(func(k *key) { k.rotating = true }),
	"DisableKeyRotation":   setting(func(k *key) { k.rotating = false }),
	"GetKeyRotationStatus": (*Server).getKeyRotationStatus,
	"CreateAlias":          (*Server).createAlias,
	"UpdateAlias":          (*Server).updateAlias,
	"ListAliases":          (*Server).listAliases,
}

// do runs one operation.
func (s *Server) do(op, authorization string, body []byte) any {
	run, ok := operations[op]
	var in input
	switch {
	case !ok:
		return awsError{"UnknownOperationException", "There is no operation " + op + "."}
	case !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 Credential="):
		return awsError{"MissingAuthenticationTokenException", "The request is not signed."}
	case json.Unmarshal(body, &in) != nil:
		return awsError{"SerializationException", "The body is not what the operation takes."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return run(s, &in)
}

// usable returns a key that is there and enabled, or what is wrong with it.
func (s *Server) usable(keyID string) (*key, any) {
	k, wrong := s.present(keyID)
	switch {
	case wrong != nil:
		return nil, wrong
	case k.state == disabled:
		return nil, awsError{"DisabledException", k.arn() + " is disabled."}
	case k.state != enabled:
		return nil, awsError{"KMSInvalidStateException", k.arn() + " is pending deletion."}
	}
	return k, nil
}

func (s *Server) present(keyID string) (*key, any) {
	if k := s.find(keyID); k != nil {
		return k, nil
	}
	return nil, awsError{"NotFoundException", "Key '" + keyID + "' does not exist"}
}

// open decrypts; keyID may be empty, and otherwise has to be the ciphertext's.
func (s *Server) open(keyID string, ciphertext []byte, context map[string]string) (*key, []byte, any) {
	invalid := awsError{"InvalidCiphertextException", ""}
	id, ok := ciphertextKey(ciphertext)
	if keyID != "" {
		if named, wrong := s.usable(keyID); wrong != nil {
			return nil, nil, wrong
		} else if ok && s.keys[id] != nil && s.keys[id] != named {
			return nil, nil, awsError{"IncorrectKeyException", "The key ID in the request does not identify a KMS key that can perform this operation."}
		}
	}
	if !ok || s.keys[id] == nil {
		return nil, nil, invalid
	}
	k, wrong := s.usable(id)
	if wrong != nil {
		return nil, nil, wrong
	}
	plaintext, ok := k.decrypt(ciphertext, context)
	if !ok {
		return nil, nil, invalid
	}
	return k, plaintext, nil
}

func (s *Server) generateDataKey(in *input) any {
	k, wrong := s.usable(in.KeyId)
	if wrong != nil {
		return wrong
	}
	size := in.NumberOfBytes
	switch in.KeySpec {
	case "AES_256":
		size = 32
	case "AES_128":
		size = 16
	}
	if size < 1 || size > 1024 {
		return awsError{"ValidationException", "Please specify either number of bytes or key spec."}
	}
	plaintext := make([]byte, size)
	_, _ = rand.Read(plaintext) // never fails
	return output{"KeyId": k.arn(), "Plaintext": plaintext, "CiphertextBlob": k.encrypt(plaintext, in.EncryptionContext)}
}

func (s *Server) encrypt(in *input) any {
	k, wrong := s.usable(in.KeyId)
	if wrong != nil {
		return wrong
	}
	if n := len(in.Plaintext); n < 1 || n > 4096 {
		return awsError{"ValidationException", "The plaintext has 1 to 4096 bytes."}
	}
	return output{"KeyId": k.arn(), "CiphertextBlob": k.encrypt(in.Plaintext, in.EncryptionContext), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
}

func (s *Server) decrypt(in *input) any {
	k, plaintext, wrong := s.open(in.KeyId, in.CiphertextBlob, in.EncryptionContext)
	if wrong != nil {
		return wrong
	}
	return output{"KeyId": k.arn(), "Plaintext": plaintext, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
}

func (s *Server) reEncrypt(in *input) any {
	from, plaintext, wrong := s.open(in.SourceKeyId, in.CiphertextBlob, in.SourceEncryptionContext)
	if wrong != nil {
		return wrong
	}
	to, wrong := s.usable(in.DestinationKeyId)
	if wrong != nil {
		return wrong
	}
	return output{"KeyId": to.arn(), "SourceKeyId": from.arn(),
		"CiphertextBlob": to.encrypt(plaintext, in.DestinationEncryptionContext)}
}

func (s *Server) describeKey(in *input) any {
	k, wrong := s.present(in.KeyId)
	if wrong != nil {
		return wrong
	}
	return output{"KeyMetadata": k.metadata()}
}

func (s *Server) createKey(in *input) any {
	k := newKey(in.Description)
	s.keys[k.id] = k
	return output{"KeyMetadata": k.metadata()}
}

func (k *key) metadata() output {
	m := output{
		"AWSAccountId": account, "KeyId": k.id, "Arn": k.arn(), "Description": k.description,
		"CreationDate": seconds(k.created), "Enabled": k.state == enabled, "KeyState": k.state,
		"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER", "Origin": "AWS_KMS",
		"MultiRegion": false, "EncryptionAlgorithms": []string{"SYMMETRIC_DEFAULT"},
	}
	if k.state == pendingDeletion {
		m["DeletionDate"] = seconds(k.deletion)
	}
	return m
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *Server) scheduleKeyDeletion(in *input) any {
	k, wrong := s.present(in.KeyId)
	if wrong != nil {
		return wrong
	}
	if in.PendingWindowInDays == 0 {
		in.PendingWindowInDays = 30
	}
	k.scheduleDeletion(in.PendingWindowInDays)
	return output{"KeyId": k.arn(), "KeyState": k.state, "DeletionDate": seconds(k.deletion)}
}

// setting is an operation that answers with nothing.
func setting(set func(*key)) func(*Server, *input) any {
	return func(s *Server, in *input) any {
		k, wrong := s.present(in.KeyId)
		if wrong != nil {
			return wrong
		}
		if k.state == pendingDeletion {
			return awsError{"KMSInvalidStateException", k.arn() + " is pending deletion."}
		}
		set(k)
		return output{}
	}
}

func (s *Server) getKeyRotationStatus(in *input) any {
	k, wrong := s.present(in.KeyId)
	if wrong != nil {
		return wrong
	}
	if k.state == pendingDeletion {
		return awsError{"KMSInvalidStateException", k.arn() + " is pending deletion."}
	}
	out := output{"KeyId": k.id, "KeyRotationEnabled": k.rotating}
	if k.rotating {
		out["RotationPeriodInDays"] = 365
		out["NextRotationDate"] = seconds(k.created.AddDate(1, 0, 0))
	}
	return out
}

func (s *Server) createAlias(in *input) any {
	if _, taken := s.aliases[in.AliasName]; taken {
		return awsError{"AlreadyExistsException", "An alias with the name " + in.AliasName + " already exists"}
	}
	return s.setAlias(in)
}

func (s *Server) updateAlias(in *input) any {
	if _, there := s.aliases[in.AliasName]; !there {
		return awsError{"NotFoundException", "Alias " + in.AliasName + " is not found."}
	}
	return s.setAlias(in)
}

func (s *Server) setAlias(in *input) any {
	if !strings.HasPrefix(in.AliasName, "alias/") {
		return awsError{"ValidationException", "Alias must start with the prefix \"alias/\"."}
	}
	k, wrong := s.present(in.TargetKeyId)
	if wrong != nil {
		return wrong
	}
	s.aliases[in.AliasName] = k.id
	return output{}
}

func (s *Server) listAliases(in *input) any {
	aliases := []output{} // not null
	for _, name := range slices.Sorted(maps.Keys(s.aliases)) {
		id := s.aliases[name]
		if in.KeyId == "" || s.find(in.KeyId) == s.keys[id] {
			aliases = append(aliases, output{"AliasName": name, "TargetKeyId": id,
				"AliasArn": "arn:aws:kms:" + Region + ":" + account + ":" + name})
		}
	}
	return output{"Aliases": aliases, "Truncated": false}
}
