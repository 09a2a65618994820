package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/redis/rueidis"

	"freshline/serving/internal/key"
	"freshline/serving/internal/row"
)

const redisVariable = "FRESHLINE_TEST_REDIS_URL"

// fetching is a plan that fetches rows of two views under two keys, in a project of this test's own.
func fetching(t *testing.T) (plan, project string, client rueidis.Client) {
	t.Helper()
	url := os.Getenv(redisVariable)
	if url == "" {
		t.Fatalf("%s is not set: these tests need a real server; ./dev test starts one", redisVariable)
	}
	option, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	option.DisableCache = true
	if client, err = rueidis.NewClient(option); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	project = fmt.Sprintf("fetched%d", rand.Uint64())
	return fmt.Sprintf(`{"targets": [{"fetch": {"store": %q, "project": %q, "join_key": "k", "views": ["v", "w"]}}],
		"bodies": [{"entities": {"k": [1, 2]}}], "connections": 1, "warmup_seconds": 0, "seconds": 0.05}`, url, project), project, client
}

func TestRowsAreFetchedAsTheyAre(t *testing.T) {
	plan, project, client := fetching(t)
	encoder, err := key.NewEncoder([]key.JoinKey{{Name: "k", Dtype: row.Int64}})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"1", "2"} {
		bytes, err := key.AppendValue(encoder.AppendNames(nil), row.Int64, []byte(value))
		if err != nil {
			t.Fatal(err)
		}
		name := "fl:" + project + ":" + string(bytes)
		command := client.B().Hset().Key(name).FieldValue().FieldValue("v", "abc").FieldValue("w", "defgh").Build()
		if err := client.Do(context.Background(), command).Error(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Do(context.Background(), client.B().Del().Key(name).Build()) })
	}
	results, err := load(plan)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].AnswerBytes != 16 || results[0].Requests == 0 {
		t.Errorf("the result is %+v, want 16 bytes of rows", results[0])
	}
}

func TestARowThatIsNotThereEndsTheMeasurement(t *testing.T) {
	plan, _, _ := fetching(t)
	if _, err := load(plan); err == nil || !strings.Contains(err.Error(), "no row") {
		t.Errorf("the error is %v, want that a row is missing", err)
	}
}
