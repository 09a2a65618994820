package feast

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/redis"
)

// asked is a read of so many fields and what was found: of the hashes' fields, and of bytes.
type asked struct {
	fields       int
	found        redis.Size
	wholeTheNext bool
}

func TestHashesAreReadWholeWhereTheyHoldLittleElse(t *testing.T) {
	for name, reads := range map[string][]asked{
		"nothing is known at first, then as many as are asked for": {{fields: 110, found: redis.Size{Fields: 110}, wholeTheNext: true}},
		"twice as many":                {{fields: 110, found: redis.Size{Fields: 220}, wholeTheNext: true}},
		"more than twice as many":      {{fields: 110, found: redis.Size{Fields: 221}}},
		"few fields":                   {{fields: leastFields - 1, found: redis.Size{Fields: leastFields - 1}}},
		"the number cannot be learned": {{fields: 110}},
		"they grow": {
			{fields: 110, found: redis.Size{Fields: 110}, wholeTheNext: true},
			{fields: 110, found: redis.Size{Fields: 300, Used: 1, Other: 1}},
			{fields: 110, found: redis.Size{Fields: 110}, wholeTheNext: true},
		},
		"they grow far": {
			{fields: 110, found: redis.Size{Fields: 110}, wholeTheNext: true},
			{fields: 110, found: redis.Size{Fields: 441, Used: 1, Other: 1}},
			{fields: 110, found: redis.Size{Fields: 110}},
		},
		"few fields more, of many bytes": {
			{fields: 110, found: redis.Size{Fields: 111}, wholeTheNext: true},
			{fields: 110, found: redis.Size{Fields: 111, Used: 1000, Other: 2001}},
			{fields: 110, found: redis.Size{Fields: 110}},
		},
		"hashes that are not there": {
			{fields: 110, found: redis.Size{Fields: 110}, wholeTheNext: true},
			{fields: 110, wholeTheNext: true},
		},
	} {
		var known shape
		for i, read := range reads {
			ask := redis.Hashes{Fields: make([]string, read.fields)}
			known.choose(&ask)
			ask.Size = read.found
			known.learn(&ask)
			next := redis.Hashes{Fields: ask.Fields}
			known.choose(&next)
			if next.Whole != read.wholeTheNext {
				t.Errorf("%s: after read %d whole is %v", name, i, next.Whole)
			}
		}
	}
}

func TestEachViewAndProjectHasAShapeOfItsOwn(t *testing.T) {
	var known shapes
	of := func(project, view string) *shape {
		return known.of(&lookup.Read{Project: project, Views: []string{view, "another"}})
	}
	first := of("p", "v")
	if of("p", "v") != first || first == of("p", "w") || first == of("q", "v") {
		t.Error("shapes are mixed up")
	}
	if known.of(&lookup.Read{}) == nil {
		t.Error("a read of no view breaks")
	}
}

// states reads the view again and again, so that it is read by its fields first and then whole.
func (s *server) states(keys ...[]byte) [3][]enforce.State {
	var found [3][]enforce.State
	for i := range found {
		table, _ := s.open(s.read("everything", s.layout, keys...))
		found[i] = table.States
	}
	return found
}

func TestTheSameRowsComeHoweverHashesAreRead(t *testing.T) {
	s := newServer(t)
	keys := [][]byte{driver(1001), driver(9999), driver(1002), driver(1003), driver(1001)}
	first := s.read("everything", s.layout, keys...)
	if known := s.shapes.of(first); known.fields.Load() == 0 {
		t.Fatal("the number of fields was not learned")
	}
	for range 20 { // over shared connections and then over a line
		next := s.read("everything", s.layout, keys...)
		for k := range keys {
			if string(next.Rows[k]) != string(first.Rows[k]) || (next.Rows[k] == nil) != (first.Rows[k] == nil) {
				t.Fatalf("key %d has another row", k)
			}
		}
	}
	if known := s.shapes.of(first); known.never.Load() {
		t.Error("hashes of the view alone are not read whole")
	}
}

func TestAUserWhoMayNotReadHashesWholeReadsTheirFields(t *testing.T) {
	s := newServer(t)
	address, err := url.Parse(os.Getenv("FRESHLINE_TEST_REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	user := fmt.Sprintf("feasts%d", time.Now().UnixNano())
	s.do(s.client.B().Arbitrary("ACL", "SETUSER", user, "on", ">secret", "~*", "+@connection", "+hmget", "+hlen").Build())
	t.Cleanup(func() { s.do(s.client.B().Arbitrary("ACL", "DELUSER", user).Build()) })
	address.User = url.UserPassword(user, "secret")
	if s.Redis, err = NewRedis(address.String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for until := time.Now().Add(10 * time.Second); s.Ping(s.context) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(s.Ping(s.context))
		}
	}
	for i, states := range s.states(driver(1001), driver(9999)) {
		if states[0] != enforce.Young || states[1] != enforce.Gone {
			t.Errorf("read %d: %v", i, states)
		}
	}
}

func TestHashesMayNotBeReadWholeWhereTheCommandIsRefusedForGood(t *testing.T) {
	for said, want := range map[string]bool{
		"NOPERM User feasts has no permissions to run the 'hgetall' command": true,
		"ERR unknown command 'HGETALL', with args beginning with: 'key' ":    true,
		"LOADING Redis is loading the dataset in memory":                     false,
		"WRONGTYPE Operation against a key holding the wrong kind of value":  false,
	} {
		if mayNot(redis.Refusal(said)) != want {
			t.Errorf("%s: %v", said, !want)
		}
	}
	if mayNot(nil) || mayNot(errors.New("unknown command")) {
		t.Error("no refusal is one")
	}
}

// A view beside it in the same hashes that holds far more costs one read, and no answer.
func TestHashesOfMuchElseAreReadByTheirFieldsAgain(t *testing.T) {
	s := newServer(t)
	key := fmt.Sprint("k", time.Now().UnixNano())
	for _, field := range s.layout.Fields {
		s.put(key+s.golden.Project, fieldOf("everything", field.Name), []byte{})
	}
	s.put(key+s.golden.Project, "_ts:everything", []byte{})
	s.put(key+s.golden.Project, "an embedding", []byte(strings.Repeat("x", 10_000)))
	read := s.read("everything", s.layout, []byte(key))
	known := s.shapes.of(read)
	for i := range 3 {
		if read = s.read("everything", s.layout, []byte(key)); read.Rows[0] == nil {
			t.Fatalf("read %d has no row", i)
		}
	}
	if !known.never.Load() {
		t.Error("they are still read whole")
	}
	var header row.Header
	if err := row.Verify(read.Rows[0], &header); err != nil || header.EventTimeUS != 0 {
		t.Errorf("%v, %v", header, err)
	}
}
