package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// cutOptions takes ?ca_file=... off a store's URL.
func cutOptions(storeURL string) (rest, caFile string, err error) {
	at := strings.LastIndexByte(storeURL, '@') + 1
	hosts, query, _ := strings.Cut(storeURL[at:], "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return "", "", errors.New("the options of the store's URL cannot be read")
	}
	caFile = options.Get("ca_file")
	options.Del("ca_file")
	if len(options) > 0 {
		return "", "", errors.New("of the options of Redis's URLs only ca_file is known")
	}
	return storeURL[:at] + hosts, caFile, nil
}

// tlsSettings trusts the authorities of the file and no others, the system's without a file.
func tlsSettings(caFile string) (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return settings, nil
	}
	authorities, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("ca_file: %s holds no certificate", caFile)
	}
	return settings, nil
}
