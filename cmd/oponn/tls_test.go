package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServe_TLS checks that the server speaks HTTP/2 itself, given a
// certificate.
func TestServe_TLS(t *testing.T) {
	t.Parallel()
	cert, key, roots := newCertificate(t)
	s := serve(t, filepath.Join(t.TempDir(), "data"), "OPONN_TLS_CERT="+cert, "OPONN_TLS_KEY="+key)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	secure := strings.Replace(s.url, "http:", "https:", 1)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, secure+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ProtoMajor != 2 {
		t.Errorf("status %d by %s, want 200 by HTTP/2", response.StatusCode, response.Proto)
	}
	if !strings.Contains(s.stdout.String(), secure) {
		t.Errorf("the banner does not say https:\n%s", s.stdout.String())
	}
	s.stop(t)
}

// TestServe_TLSKeyForEverybody refuses a key that others can read.
func TestServe_TLSKeyForEverybody(t *testing.T) {
	t.Parallel()
	cert, key, _ := newCertificate(t)
	if err := os.Chmod(key, 0o604); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := oponn(t, filepath.Join(t.TempDir(), "data"), []string{"OPONN_TLS_CERT=" + cert, "OPONN_TLS_KEY=" + key}, "serve")
	if code != 2 || !strings.Contains(stderr, "chmod o= "+key) {
		t.Errorf("exit code %d, want 2 and what to do: %s", code, stderr)
	}
}

// TestServe_ComplaintsNameNoPeer has a peer come that doesn't speak TLS.
func TestServe_ComplaintsNameNoPeer(t *testing.T) {
	t.Parallel()
	cert, key, _ := newCertificate(t)
	s := serve(t, filepath.Join(t.TempDir(), "data"), "OPONN_TLS_CERT="+cert, "OPONN_TLS_KEY="+key, "OPONN_LOG_LEVEL=debug")
	peer, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimPrefix(s.url, "https://"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if _, err := peer.Write([]byte("this is no handshake, whoever says so\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a complaint", func() bool { return strings.Contains(s.stderr.String(), "TLS handshake error from a peer") })
	if address := peer.LocalAddr().String(); strings.Contains(s.stderr.String(), address) {
		t.Errorf("the log names %s", address)
	}
	s.stop(t)
}

// newCertificate makes a certificate for the loopback address, and returns its
// files and who trusts it.
func newCertificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	roots.AppendCertsFromPEM(certPEM)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, text := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, roots
}
