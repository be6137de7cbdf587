package keys

// OpenSecret returns the 32 random bytes, for signing cookies, of the file at
// path. It makes and guards the file exactly as OpenLocal does; neither reads
// the other's. The bytes are the caller's.
func OpenSecret(path string) ([]byte, error) { return openFile(path, secretFile) }
