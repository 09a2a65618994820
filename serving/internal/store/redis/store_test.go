package redis

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/store/storetest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const (
	singleVariable  = "FRESHLINE_TEST_REDIS_URL"
	clusterVariable = "FRESHLINE_TEST_REDIS_CLUSTER_URL"
)

func serverURL(t *testing.T, variable string) string {
	t.Helper()
	url := os.Getenv(variable)
	if url == "" {
		t.Fatalf("%s is not set: these tests need a real server; ./dev test starts one", variable)
	}
	return url
}

func open(t *testing.T, url string) *Store {
	t.Helper()
	store, err := New(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	for until := time.Now().Add(10 * time.Second); store.Ping(context.Background()) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("no connection to %s: %v", url, store.Ping(context.Background()))
		}
	}
	return store
}

// writer writes as ingestion does, under projects of this test's own.
type writer struct {
	t      *testing.T
	client rueidis.Client
}

func newWriter(t *testing.T, url string) *writer {
	t.Helper()
	option, err := parseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &writer{t, client}
}

func (w *writer) hset(key, field, value string) {
	w.t.Helper()
	err := w.client.Do(context.Background(), w.client.B().Hset().Key(key).FieldValue().FieldValue(field, value).Build()).Error()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) Row(project, view string, key, data []byte) {
	w.hset("fl:"+project+":"+string(key), view, string(data))
}

func (w *writer) Watermark(project, field string, us int64) {
	w.hset("fl-wm:"+project, field, "3:"+strconv.FormatInt(us, 10))
}

func (w *writer) Layout(project, field, layout string) { w.hset("fl-layout:"+project, field, layout) }

// clear empties the server: the suite wants a place of its own.
func (w *writer) clear() {
	for _, node := range w.client.Nodes() {
		if err := node.Do(context.Background(), node.B().Flushall().Build()).Error(); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestConformance(t *testing.T) {
	for _, variable := range []string{singleVariable, clusterVariable} {
		t.Run(variable, func(t *testing.T) {
			url := serverURL(t, variable)
			w := newWriter(t, url)
			w.clear()
			storetest.Run(t, open(t, url), w)
		})
	}
}

func TestOneBadKeyIsMissedAndItsSiblingsAreRead(t *testing.T) {
	url := serverURL(t, singleVariable)
	w := newWriter(t, url)
	project := fmt.Sprintf("siblings%d", time.Now().UnixNano())
	w.Row(project, "v", []byte("good"), []byte("here"))
	err := w.client.Do(context.Background(), w.client.B().Set().Key("fl:"+project+":bad").Value("no hash").Build()).Error()
	if err != nil {
		t.Fatal(err)
	}
	read := &lookup.Read{Project: project, Views: []string{"v"}, Keys: [][]byte{[]byte("bad"), []byte("good")}, Rows: make([][]byte, 2), Missed: make([]bool, 2)}
	if err := open(t, url).ReadRows(context.Background(), read); err != nil {
		t.Fatal(err)
	}
	if !read.Missed[0] || read.Missed[1] || string(read.Rows[1]) != "here" || read.Partial == nil {
		t.Errorf("missed %v, rows %q: %v", read.Missed, read.Rows, read.Partial)
	}
}

func TestAServerThatIsNotThereIsAnErrorAtOnceAndAConnectionLater(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	store, err := New("redis://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	began := time.Now()
	if err := store.Ping(context.Background()); err == nil || !strings.Contains(err.Error(), "not connected") {
		t.Errorf("ping: %v", err)
	}
	if _, err := store.ReadWatermarks(context.Background(), "p"); err == nil {
		t.Error("watermarks came from nowhere")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestStoreURLs(t *testing.T) {
	for _, test := range []struct {
		url, addresses, user, password string
		database                       int
		tls, single                    bool
	}{
		{"redis://h:1/2", "[h:1]", "", "", 2, false, true},
		{"redis://h", "[h:6379]", "", "", 0, false, true},
		{"rediss://u:p%40w@h:1", "[h:1]", "u", "p@w", 0, true, true},
		{"redis+cluster://a:1,b:2,c:3", "[a:1 b:2 c:3]", "", "", 0, false, false},
		{"redis+cluster://:pw@a:1,b:2", "[a:1 b:2]", "", "pw", 0, false, false},
	} {
		option, err := parseURL(test.url)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		got := fmt.Sprint(option.InitAddress, option.Username, option.Password, option.SelectDB, option.TLSConfig != nil, option.ForceSingleClient)
		if want := fmt.Sprint(test.addresses, test.user, test.password, test.database, test.tls, test.single); got != want {
			t.Errorf("%s: %s, want %s", test.url, got, want)
		}
	}
	for _, url := range []string{"redis://", "redis://h:1/first", "redis://%zz"} {
		if _, err := parseURL(url); err == nil {
			t.Errorf("%s is accepted", url)
		} else if strings.Contains(err.Error(), "%zz") {
			t.Errorf("%s is repeated in %v", url, err)
		}
	}
}
