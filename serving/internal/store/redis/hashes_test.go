package redis

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/lookup"
)

// ways are those in which hashes are read: over a line or over shared connections, whole or by their fields.
func ways(t *testing.T, storeURL string) map[string]*Store {
	t.Helper()
	shared := open(t, storeURL)
	for i := range shared.lines.slots { // as if all were in use
		shared.lines.slots[i].taken.Store(true)
	}
	own := open(t, storeURL)
	lineOf(t, own)
	return map[string]*Store{"a line": own, "shared": shared}
}

func readHashes(t *testing.T, store *Store, keys, fields []string, whole bool) ([][]string, Size, *lookup.Read) {
	t.Helper()
	read := readOf("", nil, keys...)
	got := make([][]string, len(keys))
	ask := Hashes{Before: "h:", After: ":h", Fields: fields, Whole: whole, Measured: true}
	ask.Fill = func(k int, values [][]byte) error {
		for _, value := range values {
			if value == nil {
				got[k] = append(got[k], "none")
				continue
			}
			got[k] = append(got[k], fmt.Sprintf("%q", value))
		}
		return nil
	}
	if err := store.ReadHashes(within(t, 10*time.Second), read, &ask); err != nil {
		t.Fatal(err)
	}
	return got, ask.Size, read
}

// Whatever is in the hashes, however they are read: the same values come.
func TestHashesReadWholeHaveTheSameValues(t *testing.T) {
	storeURL := serverURL(t, singleVariable)
	w := newWriter(t, storeURL)
	stores := ways(t, storeURL)
	chance := rand.New(rand.NewPCG(3, 4))
	names := []string{"", "a", "b", "\r\n", "\x00\xff", "another", "_ts:v"}
	for round := range 40 {
		keys := make([]string, 1+chance.IntN(12))
		most := 0
		for k := range keys {
			keys[k] = fmt.Sprintf("%d %d %d", time.Now().UnixNano(), round, k)
			stored := names[:chance.IntN(len(names)+1)]
			if chance.IntN(2) == 0 { // in another order
				stored = slices.Clone(stored)
				chance.Shuffle(len(stored), func(i, j int) { stored[i], stored[j] = stored[j], stored[i] })
			}
			for _, name := range stored {
				w.hset("h:"+keys[k]+":h", name, fmt.Sprint(k, name)[:chance.IntN(2+len(name))])
			}
			most = max(most, len(stored))
		}
		fields := slices.Clone(names[:1+chance.IntN(len(names))])
		chance.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		want, _, _ := readHashes(t, stores["shared"], keys, fields, false)
		for way, store := range stores {
			for _, whole := range []bool{false, true} {
				got, size, _ := readHashes(t, store, keys, fields, whole)
				for k := range want {
					if !slices.Equal(got[k], want[k]) {
						t.Errorf("over %s, whole %v: key %d has %v, want %v", way, whole, k, got[k], want[k])
					}
				}
				if whole && size.Fields != most {
					t.Errorf("over %s: the largest hash has %d fields, want %d", way, size.Fields, most)
				}
			}
		}
	}
}

func TestTheSizeOfHashesIsTold(t *testing.T) {
	storeURL := serverURL(t, singleVariable)
	w := newWriter(t, storeURL)
	key := fmt.Sprint("sized", time.Now().UnixNano())
	for field, value := range map[string]string{"a": "12", "b": "3", "c": "4567890"} {
		w.hset("h:"+key+":h", field, value)
	}
	for way, store := range ways(t, storeURL) {
		if _, size, _ := readHashes(t, store, []string{key}, []string{"a", "b"}, false); size != (Size{Fields: 3}) {
			t.Errorf("over %s, by fields: %+v", way, size)
		}
		if _, size, _ := readHashes(t, store, []string{key}, []string{"a", "b", "z"}, true); size != (Size{3, 3, 7}) {
			t.Errorf("over %s, whole: %+v", way, size)
		}
	}
}

func TestWhatIsNoHashIsMissedAloneOverEveryWay(t *testing.T) {
	storeURL := serverURL(t, singleVariable)
	w := newWriter(t, storeURL)
	good, bad := fmt.Sprint("good", time.Now().UnixNano()), fmt.Sprint("bad", time.Now().UnixNano())
	w.hset("h:"+good+":h", "a", "here")
	err := w.client.Do(context.Background(), w.client.B().Set().Key("h:"+bad+":h").Value("no hash").Build()).Error()
	if err != nil {
		t.Fatal(err)
	}
	for way, store := range ways(t, storeURL) {
		for _, whole := range []bool{false, true} {
			got, _, read := readHashes(t, store, []string{bad, good}, []string{"a"}, whole)
			if !read.Missed[0] || read.Missed[1] || !IsRefusal(read.Partial) || !slices.Equal(got[1], []string{`"here"`}) {
				t.Errorf("over %s, whole %v: missed %v, %v, %v", way, whole, read.Missed, got, read.Partial)
			}
		}
	}
}

func TestALineReadsTheDatabaseOfTheStoresURLAndGreetsAsItsUser(t *testing.T) {
	base, err := url.Parse(serverURL(t, singleVariable))
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(t, base.String())
	user := fmt.Sprintf("reader%d", time.Now().UnixNano())
	acl := w.client.B().Arbitrary("ACL", "SETUSER", user, "on", ">pass word", "~*", "+@connection", "+@read", "+select").Build()
	if err := w.client.Do(context.Background(), acl).Error(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.client.Do(context.Background(), w.client.B().Arbitrary("ACL", "DELUSER", user).Build()) })
	elsewhere := *base
	elsewhere.Path = "/5"
	key := fmt.Sprint("k", time.Now().UnixNano())
	newWriter(t, elsewhere.String()).hset("h:"+key+":h", "a", "of another database")
	elsewhere.User = url.UserPassword(user, "pass word")
	store := open(t, elsewhere.String())
	lineOf(t, store)
	if got, _, _ := readHashes(t, store, []string{key}, []string{"a"}, false); got[0][0] != `"of another database"` {
		t.Errorf("%v", got)
	}
	wrong := store.option
	wrong.Password = "another"
	if _, err := openLine(context.Background(), &wrong); !IsRefusal(err) {
		t.Errorf("with a wrong password: %v", err)
	}
}

// A hash that takes longer than the caller waits is known by its size all the same.
func TestTheSizeOfAHashIsKnownBeforeAllOfItCame(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	var served sync.WaitGroup
	defer served.Wait()
	served.Go(func() { _, _ = io.Copy(io.Discard, there) })
	served.Go(func() { _, _ = io.WriteString(there, "*2000\r\n$1\r\na\r\n$2\r\n12\r\n$1\r\nb\r\n$3\r\n123\r\n") })
	read := readOf("p", nil, "k")
	l := &line{conn: here, answers: answers{conn: here}}
	ask := Hashes{Fields: []string{"a"}, Whole: true, Measured: true, read: read, Fill: func(int, [][]byte) error { return nil }}
	if !l.ask(within(t, 50*time.Millisecond), &ask) || !read.Missed[0] {
		t.Errorf("missed %v", read.Missed)
	}
	if ask.Size != (Size{Fields: 1000, Used: 2, Other: 3}) {
		t.Errorf("the size is %+v", ask.Size)
	}
	_ = here.Close()
}
