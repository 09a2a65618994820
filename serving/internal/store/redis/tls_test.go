package redis

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/lookup"
)

// The server of this variable speaks TLS under an authority of its own and knows one user, by password.
const tlsVariable = "FRESHLINE_TEST_REDIS_TLS_URL"

func TestRowsAreReadOverTLSByAUserWithAPassword(t *testing.T) {
	url := serverURL(t, tlsVariable)
	store, rows := open(t, url), newWriter(t, url)
	rows.Row("tls", "v", []byte("key"), []byte("row"))
	read := &lookup.Read{
		Project: "tls", Views: []string{"v"}, Keys: [][]byte{[]byte("key")}, Rows: make([][]byte, 1), Missed: make([]bool, 1),
	}
	if err := store.ReadRows(context.Background(), read); err != nil || string(read.Rows[0]) != "row" {
		t.Errorf("read %q (%v)", read.Rows[0], err)
	}
}

// What TLS itself says after greeting is nothing that nobody asked for.
func TestALineOverTLSIsUsedAgain(t *testing.T) {
	store := open(t, serverURL(t, tlsVariable))
	first := lineOf(t, store)
	for i := range 3 {
		read := readOf("tls", []string{"v"}, "none")
		if err := store.ReadRows(within(t, 10*time.Second), read); err != nil || read.Missed[0] {
			t.Fatalf("read %d: %v", i, err)
		}
		if lineOf(t, store) != first || first.broken {
			t.Fatalf("read %d broke the line", i)
		}
	}
}

func TestAServerThatCannotProveItselfOrAWrongPasswordGivesNoConnection(t *testing.T) {
	url := serverURL(t, tlsVariable)
	plain, _, _ := strings.Cut(url, "?")
	user, rest, _ := strings.Cut(url, "@")
	for what, other := range map[string]string{
		"another authority": plain,
		"no TLS":            strings.Replace(plain, "rediss://", "redis://", 1),
		"a wrong password":  user + "x@" + rest,
		"no user":           "rediss://" + rest,
	} {
		store, err := New(other)
		if err != nil {
			t.Fatal(err)
		}
		// Connecting goes on in the background: the first attempt has failed once it says why.
		for until := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			failure := store.Ping(context.Background())
			if failure == nil {
				t.Errorf("%s: the server is spoken to", what)
				break
			}
			if failure != errNotConnected || time.Now().After(until) {
				break
			}
		}
		store.Close()
	}
}

func TestAnAuthorityThatCannotBeReadIsSaidAtOnce(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"rediss://h:1/0?ca_file=/nowhere/ca.pem", "rediss+cluster://h:1,g:1?ca_file=" + empty, "redis://h:1?ca_file=" + empty,
		"rediss://h:1/0?ca=x", "rediss://h:1/0?ssl_cert_reqs=none", "rediss://user:secret@h:1?ca_file=%zz",
	} {
		if _, err := parseURL(url); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
