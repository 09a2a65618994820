package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"freshline/serving/internal/config"
)

// certificates are the files that TLS needs, read again when they change: whoever renews a certificate restarts
// nothing. A new file that cannot be used is told, and the last good ones stay in force.
type certificates struct {
	config config.Config
	log    *slog.Logger

	mu       sync.Mutex // taken for handshakes alone, which take a hundred times as long as looking at files
	settings *tls.Config
	seen     [3]fileState
}

// fileState tells whether a file is still the same.
type fileState struct {
	at   time.Time
	size int64
}

// tlsSettings returns nil where no certificate is set.
func tlsSettings(c config.Config, log *slog.Logger) (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	files := &certificates{config: c, log: log}
	files.seen = files.look()
	settings, err := files.read()
	if err != nil {
		return nil, err
	}
	files.settings = settings
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: settings.NextProtos,
		// Never called: the settings of each client name a certificate. The server asks for one or the other.
		Certificates:       settings.Certificates,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return files.current(), nil },
	}, nil
}

func (c *certificates) current() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.look()
	if seen == c.seen {
		return c.settings
	}
	c.seen = seen
	settings, err := c.read()
	if err != nil {
		c.log.Error("changed certificates cannot be used; the last ones stay in force", "error", err)
		return c.settings
	}
	c.log.Info("certificates were read again")
	c.settings = settings
	return settings
}

func (c *certificates) look() (seen [3]fileState) {
	for i, path := range []string{c.config.TLSCert, c.config.TLSKey, c.config.TLSClientCA} {
		if info, err := os.Stat(path); err == nil {
			seen[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return seen
}

func (c *certificates) read() (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(c.config.TLSCert, c.config.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("FRESHLINE_SERVING_TLS_CERT: %w", err)
	}
	settings := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"},
	}
	if c.config.TLSClientCA == "" {
		return settings, nil
	}
	authorities, err := os.ReadFile(c.config.TLSClientCA)
	if err != nil {
		return nil, fmt.Errorf("FRESHLINE_SERVING_TLS_CLIENT_CA: %w", err)
	}
	settings.ClientCAs = x509.NewCertPool()
	if !settings.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("FRESHLINE_SERVING_TLS_CLIENT_CA: %s holds no certificate", c.config.TLSClientCA)
	}
	settings.ClientAuth = tls.RequireAndVerifyClientCert
	return settings, nil
}
