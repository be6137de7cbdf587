package pgtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Encrypt has the server take connections over TLS as well, with a certificate
// that nobody vouches for; so will a standby that is made of it afterwards.
func (s *Server) Encrypt(tb testing.TB) {
	tb.Helper()
	certificate, key := filepath.Join(s.Dir(), "server.crt"), filepath.Join(s.Dir(), "server.key")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		tb.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	for path, block := range map[string]pem.Block{certificate: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(&block), 0o600); err != nil {
			tb.Fatal(err)
		}
		s.Own(tb, path)
	}
	s.do(tb, "alter system set ssl_cert_file = '"+certificate+"'")
	s.do(tb, "alter system set ssl_key_file = '"+key+"'")
	s.do(tb, "alter system set ssl = on")
	s.do(tb, "select pg_reload_conf()")
	s.until(tb, "select setting = 'on' from pg_settings where name = 'ssl'", "the server speaks no TLS")
}

// Encrypted is a server's URL with TLS insisted on.
func Encrypted(url string) string {
	return strings.Replace(url, "sslmode=disable", "sslmode=require", 1)
}
