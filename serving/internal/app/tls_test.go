package app_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
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

// authority signs certificates of 127.0.0.1 and of clients.
type authority struct {
	t      *testing.T
	cert   *x509.Certificate
	secret *ecdsa.PrivateKey
	serial int64
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.secret = a.sign(template)
	return a
}

func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.serial++
	template.SerialNumber, template.NotAfter = big.NewInt(a.serial), time.Now().Add(time.Hour)
	parent, parentSecret := a.cert, a.secret
	if parent == nil {
		parent, parentSecret = template, secret
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, secret.Public(), parentSecret)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, secret
}

// issue signs a certificate for a server and for a client alike.
func (a *authority) issue() tls.Certificate {
	cert, secret := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: secret, Leaf: cert}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// secured is a system whose server has a certificate of the authority, and its files.
type secured struct {
	*system
	folder string
}

func newSecured(t *testing.T, by *authority) *secured {
	t.Helper()
	s := &secured{system: newSystem(t), folder: t.TempDir()}
	s.env["FRESHLINE_SERVING_TLS_CERT"] = filepath.Join(s.folder, "cert.pem")
	s.env["FRESHLINE_SERVING_TLS_KEY"] = filepath.Join(s.folder, "key.pem")
	s.install(by.issue())
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 1, 7, "N1")
	return s
}

func (s *secured) install(certificate tls.Certificate) {
	s.t.Helper()
	secret, err := x509.MarshalECPrivateKey(certificate.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		s.t.Fatal(err)
	}
	writePEM(s.t, s.env["FRESHLINE_SERVING_TLS_CERT"], "CERTIFICATE", certificate.Certificate[0])
	writePEM(s.t, s.env["FRESHLINE_SERVING_TLS_KEY"], "EC PRIVATE KEY", secret)
}

func (s *secured) requireClientsOf(a *authority) {
	path := filepath.Join(s.folder, "clients.pem")
	writePEM(s.t, path, "CERTIFICATE", a.cert.Raw)
	s.env["FRESHLINE_SERVING_TLS_CLIENT_CA"] = path
}

// lookUp asks over HTTP/1 on a connection of its own and returns the server's certificate.
func lookUp(p *process, settings *tls.Config) (*x509.Certificate, error) {
	transport := &http.Transport{TLSClientConfig: settings, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Post(
		strings.Replace(p.base, "http://", "https://", 1)+"/v1/lookup", "application/json", strings.NewReader(direct))
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	return response.TLS.PeerCertificates[0], nil
}

func TestOnlyClientsOfTheAuthorityAreAnsweredOverHTTPAndGRPC(t *testing.T) {
	servers, clients, strangers := newAuthority(t, "servers"), newAuthority(t, "clients"), newAuthority(t, "clients")
	s := newSecured(t, servers)
	s.requireClientsOf(clients)
	p := s.start()
	base := strings.Replace(p.base, "http://", "https://", 1)
	until(t, "a known client's call is answered", func() bool {
		known := &tls.Config{RootCAs: servers.pool(), Certificates: []tls.Certificate{clients.issue()}}
		return ask(http2Client(t, known), base, bytes.NewReader(call())) == nil
	})
	for who, certificates := range map[string][]tls.Certificate{
		"a known client": {clients.issue()}, "nobody": nil, "a stranger of the same name": {strangers.issue()}, "a server": {servers.issue()},
	} {
		settings := &tls.Config{RootCAs: servers.pool(), Certificates: certificates}
		_, overHTTP := lookUp(p, settings)
		overGRPC := ask(http2Client(t, settings), base, bytes.NewReader(call()))
		if known := who == "a known client"; (overHTTP == nil) != known || (overGRPC == nil) != known {
			t.Errorf("%s: %v over HTTP, %v over gRPC", who, overHTTP, overGRPC)
		}
	}
}

func TestNothingBelowTLS12AndNothingInPlainIsSpoken(t *testing.T) {
	servers := newAuthority(t, "servers")
	p := newSecured(t, servers).start()
	for version, spoken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		settings := &tls.Config{RootCAs: servers.pool(), MinVersion: version, MaxVersion: version}
		if _, err := lookUp(p, settings); (err == nil) != spoken {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
	if status, text := p.post("/v1/lookup", direct); status != http.StatusBadRequest || strings.Contains(text, "trips") {
		t.Errorf("in plain: %d %s", status, text)
	}
	if err := ask(http2Client(t, nil), p.base, bytes.NewReader(call())); err == nil {
		t.Error("a call in plain is answered")
	}
}

func TestRenewedCertificatesAreTakenWithoutARestart(t *testing.T) {
	servers, clients, later := newAuthority(t, "servers"), newAuthority(t, "clients"), newAuthority(t, "later clients")
	s := newSecured(t, servers)
	s.requireClientsOf(clients)
	p := s.start()
	serial := func(of *authority) int64 {
		found, err := lookUp(p, &tls.Config{RootCAs: servers.pool(), Certificates: []tls.Certificate{of.issue()}})
		if err != nil {
			return 0
		}
		return found.SerialNumber.Int64()
	}
	first := serial(clients)
	renewed := servers.issue()
	s.install(renewed)
	if got := serial(clients); first == 0 || got != renewed.Leaf.SerialNumber.Int64() {
		t.Errorf("shown certificate %d after %d, want %d", got, first, renewed.Leaf.SerialNumber)
	}
	writePEM(t, s.env["FRESHLINE_SERVING_TLS_CERT"], "CERTIFICATE", []byte("half of one"))
	if got := serial(clients); got != renewed.Leaf.SerialNumber.Int64() {
		t.Errorf("shown certificate %d while the file is broken", got)
	}
	if !strings.Contains(p.log.String(), "changed certificates cannot be used") {
		t.Errorf("no word of it in the log:\n%s", p.log)
	}
	s.install(renewed)
	s.requireClientsOf(later)
	if serial(later) == 0 || serial(clients) != 0 {
		t.Error("the new authority's clients are not the ones that are answered")
	}
}
