package dynamo

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	dialTimeout   = 2 * time.Second
	answerTimeout = 10 * time.Second // for callers without a deadline of their own
	idleTimeout   = 90 * time.Second
	idlePerHost   = 128
	attempts      = 4 // of a throttled or broken call, within the caller's deadline
	longestDelay  = 200 * time.Millisecond
	ecsHost       = "http://169.254.170.2" // where ECS keeps a task's credentials
)

var (
	regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)
	tablePattern  = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
)

// place is what a store's URL says.
type place struct{ region, table, endpoint string }

func parseURL(storeURL string) (place, error) {
	const form = "the store's URL is not of the form dynamodb://region/table?endpoint=http://host:port"
	parsed, err := url.Parse(storeURL)
	if err != nil || parsed.Scheme != "dynamodb" || len(parsed.Path) < 2 || parsed.User != nil {
		return place{}, errors.New(form)
	}
	at := place{region: parsed.Host, table: parsed.Path[1:]}
	if !IsRegion(at.region) || !tablePattern.MatchString(at.table) {
		return place{}, errors.New(form + ": region or table is no such name")
	}
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return place{}, errors.New(form)
	}
	for name, values := range query {
		if name != "endpoint" || len(values) != 1 {
			return place{}, errors.New(form + ": of its options only endpoint is known, once")
		}
		if !IsEndpoint(values[0]) {
			return place{}, errors.New(form + ": the endpoint is not http://host:port or https://host:port")
		}
		at.endpoint = values[0]
	}
	return at, nil
}

// IsRegion tells whether a text may name a region.
func IsRegion(text string) bool { return regionPattern.MatchString(text) }

// IsEndpoint tells whether a text is the URL of a server: http://host:port or https://host:port.
func IsEndpoint(text string) bool {
	end, err := url.Parse(text)
	return err == nil && (end.Scheme == "http" || end.Scheme == "https") && end.Hostname() != "" && end.User == nil && end.RawQuery == ""
}

// Connect returns a client, and what closes its idle connections. endpoint may be empty, for AWS's own.
// Nothing is contacted yet.
func Connect(region, endpoint string) (client *dynamodb.Client, closeIdle func(), err error) {
	provider, err := credentialsOf(os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: idleTimeout,
		MaxIdleConns: idlePerHost, MaxIdleConnsPerHost: idlePerHost, ForceAttemptHTTP2: true,
	}
	options := dynamodb.Options{
		Region:      region,
		Credentials: provider,
		HTTPClient:  &http.Client{Transport: transport, Timeout: answerTimeout},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = attempts, longestDelay
		}),
	}
	if endpoint != "" {
		options.BaseEndpoint = aws.String(endpoint)
	}
	return dynamodb.New(options), transport.CloseIdleConnections, nil
}

// credentialsOf finds credentials as AWS's own programs do: keys in the environment, else what the
// container was given (ECS, EKS Pod Identity).
func credentialsOf(getenv func(string) string) (aws.CredentialsProvider, error) {
	if id := getenv("AWS_ACCESS_KEY_ID"); id != "" {
		return credentials.NewStaticCredentialsProvider(id, getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")), nil
	}
	endpoint := getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if relative := getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative != "" {
		endpoint = ecsHost + relative
	}
	if endpoint == "" {
		return nil, errors.New("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run in a container that was given a role")
	}
	tokenFile := getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
	return aws.NewCredentialsCache(endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
		o.AuthorizationToken = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		if tokenFile != "" {
			o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
				token, err := os.ReadFile(tokenFile)
				if err != nil {
					return "", fmt.Errorf("read the container's token: %w", err)
				}
				return string(token), nil
			})
		}
	})), nil
}
