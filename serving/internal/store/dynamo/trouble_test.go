package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"freshline/serving/internal/lookup"
)

// serve answers BatchGetItem with answer, which gets the keys asked for, and opens a store on it.
func serve(t *testing.T, answer func(keys []json.RawMessage) (status int, body any)) *Store {
	t.Helper()
	giveCredentials(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			RequestItems map[string]struct{ Keys []json.RawMessage }
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			t.Error(err)
		}
		status, body := answer(call.RequestItems["table"].Keys)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return open(t, "dynamodb://eu-west-1/table?endpoint="+server.URL)
}

// rowsOf gives each key the row "here" in view v.
func rowsOf(keys []json.RawMessage) []any {
	items := make([]any, len(keys))
	for k, raw := range keys {
		var item map[string]any
		_ = json.Unmarshal(raw, &item) // what the store sent
		item["v"] = map[string]string{"B": "aGVyZQ=="}
		items[k] = item
	}
	return items
}

func answerOf(keys, left []json.RawMessage) any {
	body := map[string]any{"Responses": map[string]any{"table": rowsOf(keys)}}
	if len(left) > 0 {
		body["UnprocessedKeys"] = map[string]any{"table": map[string]any{"Keys": left}}
	}
	return body
}

func busy() (int, any) {
	return http.StatusBadRequest, map[string]string{"__type": "x#ProvisionedThroughputExceededException", "message": "too fast"}
}

func readOf(n int) *lookup.Read {
	read := &lookup.Read{Project: "p", Views: []string{"v"}, Rows: make([][]byte, n), Missed: make([]bool, n)}
	for k := range n {
		read.Keys = append(read.Keys, []byte{byte(k >> 8), byte(k)})
	}
	return read
}

func TestKeysLeftUnprocessedAreAskedForAgain(t *testing.T) {
	var calls atomic.Int32
	store := serve(t, func(keys []json.RawMessage) (int, any) {
		calls.Add(1)
		taken := min(len(keys), 30)
		return http.StatusOK, answerOf(keys[:taken], keys[taken:])
	})
	read := readOf(250)
	if err := store.ReadRows(context.Background(), read); err != nil {
		t.Fatal(err)
	}
	for k, data := range read.Rows {
		if string(data) != "here" || read.Missed[k] {
			t.Fatalf("row %d is %q, missed %v", k, data, read.Missed[k])
		}
	}
	if n := calls.Load(); n != 10 { // 100 and 100 by 30 are four each, 50 are two
		t.Errorf("%d calls", n)
	}
}

func TestKeysThatStayUnprocessedAreMissedAndTheirSiblingsAreRead(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	store := serve(t, func(keys []json.RawMessage) (int, any) {
		if len(keys) == 50 || len(keys) == 20 { // the second piece of 150
			return http.StatusOK, answerOf(keys[:len(keys)-20], keys[len(keys)-20:])
		}
		return http.StatusOK, answerOf(keys, nil)
	})
	read := readOf(150)
	if err := store.ReadRows(ctx, read); err != nil || !errors.Is(read.Partial, context.DeadlineExceeded) {
		t.Fatal(err, read.Partial)
	}
	for k, missed := range read.Missed {
		if missed != (k >= 130) || missed != (read.Rows[k] == nil) {
			t.Fatalf("key %d: missed %v, row %q", k, missed, read.Rows[k])
		}
	}
	read = readOf(20)
	if err := store.ReadRows(ctx, read); !errors.Is(err, context.DeadlineExceeded) || !read.Missed[0] {
		t.Errorf("all keys unprocessed: %v", err)
	}
}

func TestAThrottledCallIsTriedAgainAndThenAnError(t *testing.T) {
	var calls atomic.Int32
	store := serve(t, func(keys []json.RawMessage) (int, any) {
		if calls.Add(1) < 3 {
			return busy()
		}
		return http.StatusOK, answerOf(keys, nil)
	})
	if err := store.ReadRows(context.Background(), readOf(1)); err != nil {
		t.Errorf("after two refusals: %v", err)
	}
	always := serve(t, func([]json.RawMessage) (int, any) { return busy() })
	if err := always.ReadRows(context.Background(), readOf(1)); err == nil || !strings.Contains(err.Error(), "too fast") {
		t.Errorf("refused for good: %v", err)
	}
}

func TestAKeyThatNoItemCanHaveIsAbsent(t *testing.T) {
	store := serve(t, func(keys []json.RawMessage) (int, any) { return http.StatusOK, answerOf(keys, nil) })
	read := readOf(2)
	read.Keys[0] = make([]byte, 3000)
	if err := store.ReadRows(context.Background(), read); err != nil {
		t.Fatal(err)
	}
	if read.Rows[0] != nil || read.Missed[0] || string(read.Rows[1]) != "here" {
		t.Errorf("rows %q, missed %v", read.Rows, read.Missed)
	}
}

func TestAServerThatIsNotThereIsAnErrorWithinTheDeadline(t *testing.T) {
	giveCredentials(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	store := open(t, "dynamodb://eu-west-1/table?endpoint=http://"+listener.Addr().String())
	_ = listener.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	read := readOf(1)
	if err := store.ReadRows(ctx, read); err == nil || !read.Missed[0] {
		t.Errorf("rows: %v", err)
	}
	if store.Ping(ctx) == nil {
		t.Error("the ping was answered")
	}
}

func TestStoreURLs(t *testing.T) {
	giveCredentials(t)
	for storeURL, want := range map[string]place{
		"dynamodb://eu-west-1/features":                              {"eu-west-1", "features", ""},
		"dynamodb://local/a.b-C_9?endpoint=http%3A%2F%2Fdynamo:8001": {"local", "a.b-C_9", "http://dynamo:8001"},
	} {
		if got, err := parseURL(storeURL); err != nil || got != want {
			t.Errorf("%s: %+v (%v)", storeURL, got, err)
		}
	}
	for _, storeURL := range []string{
		"dynamodb://eu-west-1", "dynamodb://eu-west-1/", "dynamodb:///features", "dynamodb://eu-west-1/a/b",
		"dynamodb://id:hunter2@eu-west-1/features", "dynamodb://eu-west-1/features?endpoint=ftp://h",
		"dynamodb://eu-west-1/features?endpoint=http://id:hunter2@h", "dynamodb://eu-west-1/features?secret=hunter2",
	} {
		if _, err := New(storeURL); err == nil {
			t.Errorf("%s is accepted", storeURL)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret is repeated in %v", err)
		}
	}
}

func TestCredentialsComeFromTheEnvironmentOrTheContainer(t *testing.T) {
	ctx := context.Background()
	if _, err := credentialsOf(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("without any: %v", err)
	}
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
	provider, err := credentialsOf(func(name string) string { return keys[name] })
	if err != nil {
		t.Fatal(err)
	}
	if got, err := provider.Retrieve(ctx); err != nil || got.AccessKeyID != "id" || got.SecretAccessKey != "secret" || got.SessionToken != "token" {
		t.Errorf("from keys: %+v (%v)", got, err)
	}
	container := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "pod" {
			t.Errorf("authorization %q", r.Header.Get("Authorization"))
		}
		_, _ = w.Write([]byte(`{"AccessKeyId":"role","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}`))
	}))
	defer container.Close()
	given := map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": container.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod"}
	if provider, err = credentialsOf(func(name string) string { return given[name] }); err != nil {
		t.Fatal(err)
	}
	if got, err := provider.Retrieve(ctx); err != nil || got.AccessKeyID != "role" {
		t.Errorf("from the container: %+v (%v)", got, err)
	}
}

func TestARowOfNoBytesIsARowAndNotNone(t *testing.T) {
	store := serve(t, func(keys []json.RawMessage) (int, any) {
		items := rowsOf(keys)
		items[0].(map[string]any)["v"] = map[string]string{"B": ""}
		return http.StatusOK, map[string]any{"Responses": map[string]any{"table": items}}
	})
	read := readOf(1)
	if err := store.ReadRows(t.Context(), read); err != nil || read.Rows[0] == nil || len(read.Rows[0]) != 0 {
		t.Errorf("rows %v, %v", read.Rows, err)
	}
}
