// Package redis reads rows from Redis or Valkey, single or Cluster: one hash per entity key, one
// field per view. Reads go to primaries, and are pipelined per shard: over a line, which a read has to
// itself, where there is one, else over the connections of a client, which reads share.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/watermark"
)

const (
	dialTimeout  = 2 * time.Second
	redialAfter  = 250 * time.Millisecond
	writeTimeout = 5 * time.Second
	rowPrefix    = "fl:"
	markPrefix   = "fl-wm:"
	layoutPrefix = "fl-layout:"
)

// errNotConnected is a server that was never reached; connecting goes on in the background.
var errNotConnected = errors.New("not connected to Redis")

// Store is a Redis client that connects when it can. It is safe for many goroutines.
type Store struct {
	option  rueidis.ClientOption
	client  atomic.Pointer[rueidis.Client]
	failure atomic.Pointer[error] // of the last attempt to connect
	lines   *lines                // nil for a Cluster, whose parts its client finds
	stop    context.CancelFunc
	dialer  sync.WaitGroup
}

var _ lookup.Store = (*Store)(nil)

// New returns a store for a URL: redis://, rediss:// or redis+cluster://h:p,h:p, over TLS with ?ca_file=. It connects in the
// background, so that serving starts while Redis is away.
func New(storeURL string) (*Store, error) {
	option, err := parseURL(storeURL)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Store{option: option, stop: stop}
	s.failure.Store(&errNotConnected)
	s.dialer.Go(func() { s.connect(ctx) })
	if option.ForceSingleClient {
		s.lines = newLines(func(ctx context.Context) (*line, error) { return openLine(ctx, &s.option) })
		s.dialer.Go(func() { s.lines.run(ctx) })
	}
	return s, nil
}

func parseURL(storeURL string) (rueidis.ClientOption, error) {
	option := rueidis.ClientOption{
		// The server-side cache protocol would serve old rows to newer watermarks.
		DisableCache:     true,
		ConnWriteTimeout: writeTimeout,
		ClientSetInfo:    rueidis.DisableClientSetInfo,
		RetryDelay:       retryOnce,
		DialCtxFn:        dial,
	}
	option.Dialer.Timeout = dialTimeout
	storeURL, caFile, err := cutOptions(storeURL)
	if err != nil {
		return option, err
	}
	scheme, rest, _ := strings.Cut(storeURL, "://")
	cluster := scheme == "redis+cluster" || scheme == "rediss+cluster"
	hosts := rest
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		hosts = rest[at+1:]
	}
	hosts, _, _ = strings.Cut(hosts, "/")
	// url.Parse knows one host only, so it reads the rest of the URL with the first of them.
	first, _, _ := strings.Cut(hosts, ",")
	parsed, err := url.Parse("redis://" + strings.Replace(rest, hosts, first, 1))
	if err != nil || hosts == "" {
		return option, fmt.Errorf("the store's URL is not of the form %s://[user:password@]host:port", scheme)
	}
	for _, host := range strings.Split(hosts, ",") {
		if !strings.Contains(host, ":") {
			host += ":6379"
		}
		option.InitAddress = append(option.InitAddress, host)
	}
	option.Username = parsed.User.Username()
	option.Password, _ = parsed.User.Password()
	option.ForceSingleClient = !cluster
	option.ShuffleInit = cluster
	if strings.HasPrefix(scheme, "rediss") {
		if option.TLSConfig, err = tlsSettings(caFile); err != nil {
			return option, err
		}
	} else if caFile != "" {
		return option, errors.New("ca_file needs TLS: rediss://")
	}
	if number := strings.Trim(parsed.Path, "/"); number != "" && !cluster {
		if option.SelectDB, err = strconv.Atoi(number); err != nil {
			return option, fmt.Errorf("the store's URL names database %q, which is no number", number)
		}
	}
	return option, nil
}

// retryOnce repairs a connection that went stale while idle, and lets a server that is down fail at once.
func retryOnce(attempts int, _ rueidis.Completed, _ error) time.Duration {
	if attempts <= 1 {
		return 0
	}
	return -1
}

func (s *Store) connect(ctx context.Context) {
	for ctx.Err() == nil {
		client, err := rueidis.NewClient(s.option)
		if err == nil {
			s.client.Store(&client)
			return
		}
		err = fmt.Errorf("%w: %w", errNotConnected, err)
		s.failure.Store(&err)
		select {
		case <-ctx.Done():
		case <-time.After(redialAfter):
		}
	}
}

// Close ends all connections.
func (s *Store) Close() {
	s.stop()
	s.dialer.Wait()
	if s.lines != nil {
		s.lines.close()
	}
	if client := s.client.Load(); client != nil {
		(*client).Close()
	}
}

// Client returns the client once it is connected, else why it is not.
func (s *Store) Client() (rueidis.Client, error) {
	if client := s.client.Load(); client != nil {
		return *client, nil
	}
	return nil, *s.failure.Load()
}

// Ping tells whether the server answers.
func (s *Store) Ping(ctx context.Context) error {
	client, err := s.Client()
	if err != nil {
		return err
	}
	return client.Do(ctx, client.B().Ping().Build()).Error()
}

// ReadRows implements lookup.Store: one HMGET for each key, all in one pipeline per shard.
func (s *Store) ReadRows(ctx context.Context, read *lookup.Read) error {
	ask := Hashes{Before: rowPrefix + read.Project + ":", Fields: read.Views, Keep: true}
	ask.Fill = func(k int, rows [][]byte) error {
		for v, data := range rows {
			read.Rows[v*len(read.Keys)+k] = data
		}
		return nil
	}
	return s.ReadHashes(ctx, read, &ask)
}

// ReadLayout implements lookup.Store.
func (s *Store) ReadLayout(ctx context.Context, project, view string, number uint32) (*row.Layout, error) {
	client, err := s.Client()
	if err != nil {
		return nil, err
	}
	field := fmt.Sprintf("%s/%d", view, number)
	document, err := client.Do(ctx, client.B().Hget().Key(layoutPrefix+project).Field(field).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return row.ParseLayout(number, document)
}

// ReadWatermarks implements lookup.Store.
func (s *Store) ReadWatermarks(ctx context.Context, project string) (map[string]enforce.Watermarks, error) {
	client, err := s.Client()
	if err != nil {
		return nil, err
	}
	fields, err := client.Do(ctx, client.B().Hgetall().Key(markPrefix+project).Build()).AsStrMap()
	if err != nil {
		return nil, err
	}
	marks := make(map[string]enforce.Watermarks)
	for field, value := range fields {
		if us, ok := watermark.Parse(value); ok {
			watermark.Set(marks, field, us)
		}
	}
	return marks, nil
}
