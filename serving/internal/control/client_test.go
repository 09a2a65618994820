package control_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/control"
	"freshline/serving/internal/control/controltest"
	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestABundleIsFetchedAndThenWaitedFor(t *testing.T) {
	server := controltest.New(t)
	client := control.New(server.URL+"/", server.Token, "")
	defer client.Close()
	ctx := context.Background()
	server.Publish([]byte("one"))
	first, err := client.Bundle(ctx, "", time.Second)
	if err != nil || string(first.Body) != "one" || len(first.Digest) != 64 {
		t.Fatalf("%+v %v", first, err)
	}
	if same, err := client.Bundle(ctx, first.Digest, time.Second); err != nil || same != nil {
		t.Errorf("nothing changed: %+v %v", same, err)
	}
	time.AfterFunc(10*time.Millisecond, func() { server.Publish([]byte("two")) })
	if second, err := client.Bundle(ctx, first.Digest, time.Minute); err != nil || string(second.Body) != "two" {
		t.Errorf("after the change: %+v %v", second, err)
	}
}

func TestTheTokenFileIsReadForEveryRequest(t *testing.T) {
	server := controltest.New(t)
	path := filepath.Join(t.TempDir(), "token")
	client := control.New(server.URL, "ignored", path)
	defer client.Close()
	ctx := context.Background()
	if err := client.Observe(ctx, []byte("{}")); err == nil || !strings.Contains(err.Error(), "FRESHLINE_SERVING_TOKEN_FILE") {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(path, []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := client.Observe(ctx, []byte("{}")); err == nil || !strings.Contains(err.Error(), "401") || errors.Is(err, control.ErrRefused) {
		t.Errorf("with a wrong token: %v", err)
	}
	if err := os.WriteFile(path, []byte(server.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := client.Acknowledge(ctx, []byte(`{"number":1}`)); err != nil || server.Acknowledgements()[0] != `{"number":1}` {
		t.Errorf("with the right one: %v %v", err, server.Acknowledgements())
	}
}

func TestOnlyWhatWouldBeRefusedAgainIsRefused(t *testing.T) {
	for status, refused := range map[int]bool{
		400: true, 413: true, 422: true, 401: false, 403: false, 404: false, 429: false, 500: false, 503: false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "the reason", status)
		}))
		client := control.New(server.URL, "", "")
		err := client.Observe(context.Background(), []byte("{}"))
		if errors.Is(err, control.ErrRefused) != refused || !strings.Contains(err.Error(), "the reason") {
			t.Errorf("%d: %v", status, err)
		}
		if _, err := client.Bundle(context.Background(), "", time.Second); err == nil {
			t.Errorf("%d is a bundle", status)
		}
		client.Close()
		server.Close()
	}
}

func TestADocumentThatNamesWhatDoesNotExistIsRefusedAndAWrongAddressIsNot(t *testing.T) {
	for body, refused := range map[string]bool{
		`{"code":"not_found","detail":"There is no project.","errors":[{"path":"minutes[0].project"}]}`: true,
		`{"code":"not_found","detail":"There is nothing at this address.","errors":[]}`:                 false,
		`{"errors":[{"path":""}]}`: false,
		`<html>errors</html>`:      false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(body + strings.Repeat(" ", 1000)))
		}))
		client := control.New(server.URL, "", "")
		if err := client.Observe(context.Background(), []byte("{}")); errors.Is(err, control.ErrRefused) != refused || len(err.Error()) > 500 {
			t.Errorf("%s: %v", body, err)
		}
		client.Close()
		server.Close()
	}
}
