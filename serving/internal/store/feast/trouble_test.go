package feast

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

func tripsRead(t *testing.T, views ...string) *lookup.Read {
	t.Helper()
	layout, err := row.NewLayout(1, []row.Spec{{Name: "trips", Dtype: "int64"}})
	if err != nil {
		t.Fatal(err)
	}
	read := &lookup.Read{Project: "shop", Views: views, Keys: [][]byte{driver(1001)}, Missed: make([]bool, 1), Rows: make([][]byte, len(views))}
	for range views {
		read.Layouts = append(read.Layouts, layout)
	}
	return read
}

const tripsTable = `CREATE TABLE shop_stats (entity_key BLOB, feature_name TEXT, value BLOB, event_ts timestamp, PRIMARY KEY(entity_key, feature_name))`

func TestAFileOfFeastsIsReadOnceItIsThereAndWhatIsNotFeastsIsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "online_store.db")
	store := NewSQLite(path)
	defer store.Close()
	read := func() []byte {
		t.Helper()
		read := tripsRead(t, "stats", "others")
		if err := store.ReadRows(t.Context(), read); err != nil || read.Missed[0] || read.Rows[1] != nil {
			t.Fatalf("%v, missed %v, rows %v", err, read.Missed, read.Rows)
		}
		return read.Rows[0]
	}
	if read() != nil {
		t.Error("a file that is not there has a row")
	}
	conn, err := zombiezen.OpenConn(path, zombiezen.OpenReadWrite|zombiezen.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := sqlitex.ExecuteTransient(conn, tripsTable, nil); err != nil {
		t.Fatal(err)
	}
	for values, want := range map[string]int64{
		"x'2007', 1795168800":                   1795168800000000,
		"x'2007', '2026-11-20 10:00:00.250000'": 1795168800250000,
		"x'20', 1":                              -1, "NULL, 1": -1, "'text', 1": -1, "x'2007', NULL": -1, "x'2007', 'soon'": -1, "x'2007', 4611686018427387904": -1,
	} {
		if err := sqlitex.ExecuteTransient(conn, "INSERT OR REPLACE INTO shop_stats SELECT ?, 'trips', "+values, &sqlitex.ExecOptions{Args: []any{driver(1001)}}); err != nil {
			t.Fatal(err)
		}
		data := read()
		var header row.Header
		err := row.Verify(data, &header)
		if data == nil || (err != nil) != (want == -1) || err == nil && header.EventTimeUS != want {
			t.Errorf("%s: %v, event time %d", values, err, header.EventTimeUS)
		}
	}
}

// tables answers BatchGetItem of one table each with a JSON body and a status.
func tables(t *testing.T, answers map[string]func() (int, string)) *Dynamo {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct{ RequestItems map[string]any }
		_ = json.NewDecoder(r.Body).Decode(&call)
		for table := range call.RequestItems {
			status, body := answers[table]()
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}))
	t.Cleanup(server.Close)
	store, err := NewDynamo("dynamodb://eu-west-1?table_name_template=t-{table_name}&endpoint=" + server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

func itemOf(table, attributes string) string {
	return `{"Responses":{"` + table + `":[{"entity_id":{"S":"` + entityID(driver(1001)) + `"}` + attributes + `}]}}`
}

func TestItemsThatAreNotFeastsAreDamage(t *testing.T) {
	at := `,"event_ts":{"S":"2026-11-20 10:00:00+00:00"}`
	for attributes, good := range map[string]bool{
		at + `,"values":{"M":{"trips":{"B":"IAc="}}}`: true,
		at: true, // nothing of the view's columns: all missing
		at + `,"values":{"M":{"trips":{"B":"IA=="}}}`:                      false,
		at + `,"values":{"M":{"trips":{"S":"7"}}}`:                         false,
		at + `,"values":{"S":"7"}`:                                         false,
		`,"values":{"M":{"trips":{"B":"IAc="}}}`:                           false,
		`,"event_ts":{"S":"soon"},"values":{"M":{"trips":{"B":"IAc="}}}`:   false,
		`,"event_ts":{"N":"1795168800"},"values":{"M":{"trips":{"B":""}}}`: false,
	} {
		store := tables(t, map[string]func() (int, string){"t-stats": func() (int, string) { return 200, itemOf("t-stats", attributes) }})
		read := tripsRead(t, "stats")
		if err := store.ReadRows(t.Context(), read); err != nil {
			t.Fatal(err)
		}
		var header row.Header
		if err := row.Verify(read.Rows[0], &header); read.Rows[0] == nil || (err == nil) != good {
			t.Errorf("%s: %v", attributes, err)
		}
	}
}

func TestOneTableThatCannotBeReadFailsItsViewAlone(t *testing.T) {
	denied := func() (int, string) {
		return 400, `{"__type":"x#AccessDeniedException","message":"not yours"}`
	}
	store := tables(t, map[string]func() (int, string){
		"t-stats":   func() (int, string) { return 200, itemOf("t-stats", `,"event_ts":{"S":"2026-11-20 10:00:00"}`) },
		"t-private": denied,
	})
	read := tripsRead(t, "stats", "private")
	if err := store.ReadRows(t.Context(), read); err != nil || read.Rows[0] == nil || read.Missed[0] {
		t.Errorf("%v, rows %v, missed %v", err, read.Rows, read.Missed)
	}
	if read.Partial == nil || !strings.Contains(read.Partial.Error(), "not yours") {
		t.Errorf("said of the view that failed: %v", read.Partial)
	}
	if err := store.ReadRows(t.Context(), tripsRead(t, "private")); err == nil || !strings.Contains(err.Error(), "not yours") {
		t.Errorf("nothing could be read: %v", err)
	}
}

func TestAServerThatSaysNothingIsAnErrorWithinTheDeadline(t *testing.T) {
	release := make(chan struct{})
	store := tables(t, map[string]func() (int, string){"t-stats": func() (int, string) { <-release; return 200, "{}" }})
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := store.ReadRows(ctx, tripsRead(t, "stats")); err == nil {
		t.Error("no error")
	}
}

func TestAViewOfMoreColumnsThanDynamoDBLetsNameIsAskedForWhole(t *testing.T) {
	store := tables(t, nil)
	for columns, whole := range map[int]bool{0: false, 1: false, 280: false, 2000: true} {
		specs := make([]row.Spec, columns)
		for i := range specs {
			specs[i] = row.Spec{Name: fmt.Sprint("f", i), Dtype: "int64"}
		}
		layout, err := row.NewLayout(1, specs)
		if err != nil {
			t.Fatal(err)
		}
		batch := store.batch("shop", "stats", layout)
		if (batch.Projection == "#id,#ts,#values") != whole || len(batch.Projection) > 4096 {
			t.Errorf("%d columns: %.60s", columns, batch.Projection)
		}
		for name := range batch.Names { // DynamoDB refuses names that stand for nothing asked for
			if !strings.Contains(batch.Projection, name) {
				t.Errorf("%d columns: %s is named in vain", columns, name)
			}
		}
	}
}

func TestURLsOfFeastsTables(t *testing.T) {
	for _, storeURL := range []string{"dynamodb://", "dynamodb://r/table", "dynamodb://id:hunter2@r", "dynamodb://r?table_name_template=x", "dynamodb://r?other=hunter2", "dynamodb://r?endpoint=x"} {
		if _, _, _, err := parseDynamoURL(storeURL); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", storeURL, err)
		}
	}
	region, endpoint, template, err := parseDynamoURL("dynamodb://eu-west-1")
	if region != "eu-west-1" || endpoint != "" || template != "{project}.{table_name}" || err != nil {
		t.Errorf("%s %s %s %v", region, endpoint, template, err)
	}
}
