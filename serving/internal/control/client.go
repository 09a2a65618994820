// Package control speaks to the control plane: it fetches bundles, and delivers acknowledgements
// and observations. It knows addresses, the token and HTTP; it decides nothing.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	bundlePath          = "/api/v1/serving/bundle"
	acknowledgementPath = "/api/v1/serving/acknowledgements"
	observationPath     = "/api/v1/serving/observations"

	maxBundleBytes  = 256 << 20
	maxProblemBytes = 64 << 10
	answerTimeout   = 10 * time.Second
	shownOfError    = 300
)

// ErrRefused is an answer that sending the same again would not change.
var ErrRefused = errors.New("the control plane refused it")

// Client is safe for many goroutines.
type Client struct {
	base      string
	token     string
	tokenFile string // read for every request, so that a token can be renewed or come late
	http      *http.Client
	direct    *http.Client // the same connections, for what is passed on
}

// New returns a client of the control plane at base. With a tokenFile, token is ignored.
func New(base, token, tokenFile string) *Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     time.Minute,
	}
	return &Client{
		base: strings.TrimSuffix(base, "/"), token: token, tokenFile: tokenFile,
		http:   &http.Client{Transport: transport},
		direct: &http.Client{Transport: transport, CheckRedirect: asItStands},
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Fetched is a bundle as served.
type Fetched struct {
	Body   []byte
	Digest string // as the ETag says
}

// Bundle asks for the bundle and waits up to wait for one other than known. Nil means there is none.
func (c *Client) Bundle(ctx context.Context, known string, wait time.Duration) (*Fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+answerTimeout)
	defer cancel()
	address := fmt.Sprintf("%s%s?wait=%ds", c.base, bundlePath, int(wait.Seconds()))
	request, err := c.request(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if known != "" {
		request.Header.Set("If-None-Match", `"`+known+`"`)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch the bundle: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		return nil, nil
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch the bundle: %w", problem(response))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBundleBytes+1))
	if err != nil {
		return nil, fmt.Errorf("fetch the bundle: %w", err)
	}
	if len(body) > maxBundleBytes {
		return nil, fmt.Errorf("fetch the bundle: it is larger than %d bytes", maxBundleBytes)
	}
	digest := strings.Trim(strings.TrimPrefix(response.Header.Get("ETag"), "W/"), `"`)
	return &Fetched{Body: body, Digest: digest}, nil
}

// Acknowledge delivers an acknowledgement document.
func (c *Client) Acknowledge(ctx context.Context, document []byte) error {
	return c.post(ctx, acknowledgementPath, document)
}

// Observe delivers an observation document.
func (c *Client) Observe(ctx context.Context, document []byte) error {
	return c.post(ctx, observationPath, document)
}

func (c *Client) post(ctx context.Context, path string, document []byte) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := c.request(ctx, http.MethodPost, c.base+path, document)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("post to %s: %w", path, err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("post to %s: %w", path, problem(response))
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, shownOfError))
	return err
}

func (c *Client) request(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	token := c.token
	if c.tokenFile != "" {
		text, err := os.ReadFile(c.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read FRESHLINE_SERVING_TOKEN_FILE: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

// problem turns an answer into an error. 4xx other than "not you", "not now" and "not found" will
// not go away by itself; neither will a "not found" that points at a place in what was sent.
func problem(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxProblemBytes))
	shown := body[:min(len(body), shownOfError)]
	err := fmt.Errorf("the control plane answered %s: %s", response.Status, strings.TrimSpace(string(shown)))
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case http.StatusNotFound:
		if pointsIntoDocument(body) {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	return err
}

// pointsIntoDocument tells a document that names what does not exist from an address at which nothing is: a proxy
// in between, or a control plane of another version, which the same document will outlive.
func pointsIntoDocument(body []byte) bool {
	var told struct {
		Errors []struct {
			Path string `json:"path"`
		} `json:"errors"`
	}
	return json.Unmarshal(body, &told) == nil && len(told.Errors) > 0 && told.Errors[0].Path != ""
}
