package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// binaries finds the directory of the server's programs: the newest version.
func binaries() (string, error) {
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(candidates, func(a, b string) int { return major(b) - major(a) })
	if output, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = slices.Insert(candidates, 0, strings.TrimSpace(string(output)))
	}
	for _, dir := range candidates {
		_, server := os.Stat(filepath.Join(dir, "postgres"))
		_, initdb := os.Stat(filepath.Join(dir, "initdb"))
		if server == nil && initdb == nil {
			return dir, nil
		}
	}
	return "", errors.New(install)
}

// major reads the version in /usr/lib/postgresql/<version>/bin.
func major(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// account is who runs the server: Postgres refuses root.
type account struct{ credential *syscall.Credential }

// unprivileged returns this user, or another one for root.
func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return account{}, err
		}
		return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return account{}, errors.New("postgres refuses to run as root, and there is neither a user postgres nor nobody")
}

// own gives a file to the account.
func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}
