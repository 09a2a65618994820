package feast

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/golden"
	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// written is what real Feast wrote (tests/golden/feast_redis_program.py).
type written struct {
	Project     string
	EventTimeUS int64 `json:"event_time_us"`
	Columns     []row.Spec
	Records     []struct {
		Key    string
		Fields map[string]string
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// server is a store over a real Redis that holds what Feast wrote, and one key that it never wrote.
type server struct {
	*Redis
	t       *testing.T
	golden  written
	layout  *row.Layout
	client  rueidis.Client
	context context.Context
}

func newServer(t *testing.T) *server {
	t.Helper()
	url := os.Getenv("FRESHLINE_TEST_REDIS_URL")
	if url == "" {
		t.Fatal("FRESHLINE_TEST_REDIS_URL is not set: these tests need a real server; ./dev test starts one")
	}
	s := &server{t: t, context: t.Context()}
	golden.Load(t, "feast_redis.json", &s.golden)
	var err error
	if s.layout, err = row.NewLayout(3, s.golden.Columns); err != nil {
		t.Fatal(err)
	}
	option, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	option.DisableCache = true
	if s.client, err = rueidis.NewClient(option); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.Close)
	for _, record := range s.golden.Records {
		key := string(unhex(t, record.Key))
		s.do(s.client.B().Del().Key(key).Build())
		for field, value := range record.Fields {
			s.put(key, string(unhex(t, field)), unhex(t, value))
		}
	}
	if s.Redis, err = NewRedis(url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for until := time.Now().Add(10 * time.Second); s.Ping(context.Background()) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(s.Ping(context.Background()))
		}
	}
	return s
}

func (s *server) do(command rueidis.Completed) {
	s.t.Helper()
	if err := s.client.Do(context.Background(), command).Error(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) put(key, field string, value []byte) {
	s.t.Helper()
	s.do(s.client.B().Hset().Key(key).FieldValue().FieldValue(field, string(value)).Build())
}

func driver(id uint64) []byte {
	key := append([]byte("\x01\x00\x00\x00\x02\x00\x00\x00\x09\x00\x00\x00driver_id\x04\x00\x00\x00\x08\x00\x00\x00"), make([]byte, 8)...)
	for i := range 8 {
		key[len(key)-8+i] = byte(id >> (8 * i))
	}
	return key
}

func (s *server) read(view string, layout *row.Layout, keys ...[]byte) *lookup.Read {
	s.t.Helper()
	read := &lookup.Read{
		Project: s.golden.Project, Views: []string{view}, Layouts: []*row.Layout{layout}, Keys: keys,
		Rows: make([][]byte, len(keys)), Missed: make([]bool, len(keys)),
	}
	if err := s.ReadRows(s.context, read); err != nil {
		s.t.Fatal(err)
	}
	return read
}

// finder finds layouts as the engine does.
type finder struct {
	*server
}

func (f finder) Layout(ctx context.Context, number uint32) (*row.Layout, error) {
	if number == f.layout.Number {
		return f.layout, nil
	}
	return f.ReadLayout(ctx, f.golden.Project, "everything", number)
}

// open has the rows judged at an age of one second, without a limit.
func (s *server) open(read *lookup.Read) (*enforce.Table, enforce.Damage) {
	table := &enforce.Table{Rows: read.Rows, Missed: read.Missed}
	marks := new(enforce.Watermarks)
	damage := table.Open(s.context, finder{s}, marks, 1<<60, s.golden.EventTimeUS+1_000_000)
	return table, damage
}

func TestEveryTypeThatFeastWritesIsReadBack(t *testing.T) {
	s := newServer(t)
	read := s.read("everything", s.layout, driver(1001))
	table, damage := s.open(read)
	if table.States[0] != enforce.Young || table.AgeUS[0] != 1_000_000 || damage.Corrupt != 0 {
		t.Fatalf("state %v, age %d, damage %v", table.States[0], table.AgeUS[0], damage)
	}
	want := map[string]string{
		"an_int32": "-7", "an_int64": "9007199254740993", "a_float": "0.5", "a_double": "-120.25", "a_bool": "true",
		"a_text": `"grün"`, "a_blob": `"AP8="`, "a_time": "1793534400000000", "int32s": "[1,-2]", "int64s": "[3,-4]",
		"floats": "[0.25,-1.5]", "doubles": "[0.1,1e300]", "bools": "[true,false]", "texts": `["a","","ü"]`,
		"blobs": `["AQ==",""]`, "times": "[0,1793491200000000]",
	}
	for _, field := range s.layout.Fields {
		var column row.Column
		table.Decode(field.Name, field.Dtype, &column)
		value, err := row.ParseValue(field.Dtype, json.RawMessage(want[field.Name]))
		if err != nil {
			t.Fatal(err)
		}
		if column.Cells[0] != 0 {
			t.Errorf("%s: cell %v", field.Name, column.Cells[0])
			continue
		}
		if field.Dtype.IsFixed() && column.Words[0] != value.Word || !field.Dtype.IsFixed() && !bytes.Equal(column.Blobs[0], value.Blob) {
			t.Errorf("%s is not %s", field.Name, want[field.Name])
		}
	}
}

func TestZerosArePresentNullsAreNullAndAKeyThatWasNeverWrittenHasNoRow(t *testing.T) {
	s := newServer(t)
	read := s.read("everything", s.layout, driver(1002), driver(1003), driver(9999))
	if read.Rows[2] != nil {
		t.Error("a key that was never written has a row, as Feast itself would say")
	}
	table, _ := s.open(read)
	for _, name := range []string{"an_int32", "a_bool", "a_text", "a_time", "texts"} {
		field, _ := s.layout.Find(name)
		var column row.Column
		table.Decode(name, field.Dtype, &column)
		if column.Cells[0] != row.Present || column.Cells[1] != row.Null {
			t.Errorf("%s: cells %v", name, column.Cells)
		}
	}
}

func TestAViewThatWasNeverWrittenForAKeyHasNoRowThere(t *testing.T) {
	s := newServer(t)
	if read := s.read("pairs", s.layout, driver(1001)); read.Rows[0] != nil {
		t.Error("another view's fields make a row")
	}
}

func TestAValueOfAnotherTypeIsInvalidAndItsSiblingsAreNot(t *testing.T) {
	s := newServer(t)
	specs := slices.Clone(s.golden.Columns)
	for i := range specs {
		switch specs[i].Name {
		case "a_text":
			specs[i].Dtype = "int64"
		case "a_bool":
			specs[i].Dtype = "string"
		}
	}
	layout, err := row.NewLayout(3, specs)
	if err != nil {
		t.Fatal(err)
	}
	s.layout = layout
	table, damage := s.open(s.read("everything", layout, driver(1001), driver(1002)))
	if damage.Corrupt != 0 || damage.UnknownLayout != 0 {
		t.Errorf("damage %v", damage)
	}
	for name, want := range map[string]row.Cell{"a_text": row.Mistyped, "a_bool": row.Mistyped, "an_int32": row.Present} {
		field, _ := layout.Find(name)
		var column row.Column
		table.Decode(name, field.Dtype, &column)
		if column.Cells[0] != want {
			t.Errorf("%s: cell %v", name, column.Cells[0])
		}
	}
}

func TestBytesThatAreNotFeastsAreDamage(t *testing.T) {
	s := newServer(t)
	key := string(driver(1002)) + s.golden.Project
	s.put(key, fieldOf("everything", "an_int64"), []byte{0x20})
	_, damage := s.open(s.read("everything", s.layout, driver(1001), driver(1002)))
	if damage.Corrupt != 1 {
		t.Errorf("a cut value: %v", damage)
	}
	s.do(s.client.B().Hdel().Key(key).Field("_ts:everything").Build())
	if _, damage = s.open(s.read("everything", s.layout, driver(1002))); damage.Corrupt != 1 {
		t.Errorf("values without a time: %v", damage)
	}
}

func TestAReadWithoutLayoutsIsRefused(t *testing.T) {
	s := newServer(t)
	read := &lookup.Read{Project: "p", Views: []string{"v"}, Keys: [][]byte{driver(1)}, Rows: make([][]byte, 1), Missed: make([]bool, 1)}
	if err := s.ReadRows(s.context, read); err == nil {
		t.Error("a view was read that nobody described")
	}
}

func TestADeadlineThatHasPassedIsAnError(t *testing.T) {
	s := newServer(t)
	past, cancel := context.WithDeadline(s.context, time.Unix(0, 0))
	defer cancel()
	read := &lookup.Read{
		Project: "p", Views: []string{"v"}, Layouts: []*row.Layout{s.layout}, Keys: [][]byte{driver(1)}, Rows: make([][]byte, 1), Missed: make([]bool, 1),
	}
	if err := s.ReadRows(past, read); err == nil {
		t.Error("no error")
	}
}

func TestOneKeyThatIsNoHashIsMissedAndItsSiblingsAreRead(t *testing.T) {
	s := newServer(t)
	s.do(s.client.B().Set().Key(string(driver(77)) + s.golden.Project).Value("no hash").Build())
	read := s.read("everything", s.layout, driver(77), driver(1001))
	if !read.Missed[0] || read.Missed[1] || read.Rows[1] == nil || read.Partial == nil {
		t.Errorf("missed %v: %v", read.Missed, read.Partial)
	}
}

func TestThereAreNoWatermarks(t *testing.T) {
	s := newServer(t)
	if marks, err := s.ReadWatermarks(s.context, s.golden.Project); err != nil || len(marks) != 0 {
		t.Errorf("%v (%v)", marks, err)
	}
}

func TestTheEngineJudgesFeastsRowsByTheirEventTime(t *testing.T) {
	s := newServer(t)
	document := fmt.Sprintf(`{"format":1,"number":1,"registry":"r","projects":{%q:{"services":{},"views":{"everything":{"id":1,"contract":1,`+
		`"enforcement":"enforce","features":[{"name":"an_int64","dtype":"int64","nullable":true}],"join_keys":[{"name":"driver_id","dtype":"int64"}],`+
		`"layout":1,"layouts":{"1":[{"name":"an_int64","dtype":"int64"}]},"retired_features":[],`+
		`"terms":{"max_age_us":60000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"}}}}}}`, s.golden.Project)
	b, err := bundle.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	holder := new(bundle.Holder)
	holder.Store(b)
	stores := lookup.OnlyStore(s)
	now := time.UnixMicro(s.golden.EventTimeUS + 30_000_000)
	engine := lookup.NewEngine(lookup.Config{
		Stores: stores, Bundles: holder, Marks: lookup.NewWatermarks(stores), Observer: silent{}, Timer: silent{},
		Limits: lookup.Limits{Entities: 10, Features: 10, Concurrent: 1, Values: 100}, Timeout: time.Minute, Now: func() time.Time { return now },
	})
	ask := func() string {
		answer, err := engine.Lookup(s.context, &lookup.Request{
			Project: s.golden.Project, Features: []string{"everything:an_int64"},
			Entities: []lookup.EntityColumn{{Name: "driver_id", Values: [][]byte{[]byte("1001"), []byte("9999")}}},
		})
		if err != nil || answer.Failure != nil {
			t.Fatalf("%v, %v", err, answer)
		}
		marks := answer.Columns[0].Marks
		return marks[0].Verdict.String() + " " + marks[1].Verdict.String()
	}
	if got := ask(); got != "fresh missing" {
		t.Errorf("after 30 s: %s", got)
	}
	now = now.Add(time.Minute)
	if got := ask(); got != "stale missing" {
		t.Errorf("after 90 s: %s", got)
	}
}

type silent struct{}

func (silent) Observe(*lookup.Answer)                                  {}
func (silent) StoreCall(string, string, time.Duration, lookup.Outcome) {}
