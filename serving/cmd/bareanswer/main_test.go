package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestItAnswersWithAsManyBytesAsTheyAskForUntilItEnds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener) }()
	for path, want := range map[string]struct{ status, size int }{
		"/0": {200, 0}, "/123456": {200, 123456}, "/-1": {404, -1}, "/x": {404, -1}, "/99999999999": {404, -1},
	} {
		answer, err := http.Post("http://"+listener.Addr().String()+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != want.status || want.size >= 0 && len(body) != want.size {
			t.Errorf("%s: %d, %d bytes, %v", path, answer.StatusCode, len(body), err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatIsNoneIsAnError(t *testing.T) {
	if err := run(context.Background(), []string{"-listen", "nowhere:x"}); err == nil {
		t.Error("no error")
	}
}
