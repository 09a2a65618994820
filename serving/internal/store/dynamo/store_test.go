package dynamo

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/store/storetest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var variables = []string{"FRESHLINE_TEST_DYNALITE_URL", "FRESHLINE_TEST_MOTO_URL"}

// endpointOf returns where a test server is, and gives it credentials: it takes any.
func endpointOf(t *testing.T, variable string) string {
	t.Helper()
	endpoint := os.Getenv(variable)
	if endpoint == "" {
		t.Fatalf("%s is not set: these tests need a real server; ./dev test starts one", variable)
	}
	giveCredentials(t)
	return endpoint
}

func giveCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "freshline-test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "freshline-test")
	t.Setenv("AWS_SESSION_TOKEN", "")
}

func open(t *testing.T, storeURL string) *Store {
	t.Helper()
	store, err := New(storeURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// writer writes as ingestion does, to a table of this test's own.
type writer struct {
	t     *testing.T
	store *Store
}

func newWriter(t *testing.T, endpoint string) (*writer, string) {
	t.Helper()
	storeURL := fmt.Sprintf("dynamodb://eu-west-1/go%d?endpoint=%s", time.Now().UnixNano(), endpoint)
	w := &writer{t, open(t, storeURL)}
	ctx := context.Background()
	_, err := w.store.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &w.store.table,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(keyName), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(keyName), AttributeType: types.ScalarAttributeTypeB}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := w.store.client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &w.store.table}); err != nil {
			t.Error(err)
		}
	})
	for until := time.Now().Add(10 * time.Second); w.store.Ping(ctx) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the table does not come: %v", w.store.Ping(ctx))
		}
	}
	return w, storeURL
}

func (w *writer) set(key []byte, name string, value types.AttributeValue) {
	w.t.Helper()
	_, err := w.store.client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{
		TableName: &w.store.table, Key: itemKey(key), UpdateExpression: aws.String("SET #name = :value"),
		ExpressionAttributeNames:  map[string]string{"#name": name},
		ExpressionAttributeValues: map[string]types.AttributeValue{":value": value},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) Row(project, view string, key, data []byte) {
	w.set([]byte("fl:"+project+":"+string(key)), view, &types.AttributeValueMemberB{Value: data})
}

func (w *writer) Watermark(project, field string, us int64) {
	w.set([]byte("fl-wm:"+project), field, &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
		"generation": &types.AttributeValueMemberN{Value: "3"},
		"us":         &types.AttributeValueMemberN{Value: strconv.FormatInt(us, 10)},
	}})
}

func (w *writer) Layout(project, field, layout string) {
	w.set([]byte("fl-layout:"+project+":"+field), "layout", &types.AttributeValueMemberS{Value: layout})
}

func TestConformance(t *testing.T) {
	for _, variable := range variables {
		t.Run(variable, func(t *testing.T) {
			w, storeURL := newWriter(t, endpointOf(t, variable))
			storetest.Run(t, open(t, storeURL), w)
		})
	}
}
