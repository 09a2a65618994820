// Package dynamo reads rows from DynamoDB, or from a server that speaks its protocol: one item per
// entity key, one binary attribute per view, a hundred items a call. Reads are strongly consistent.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/watermark"
)

const (
	keyName      = "entity-key"
	rowPrefix    = "fl:"
	markPrefix   = "fl-wm:"
	layoutPrefix = "fl-layout:"
	pingKey      = "fl-ping"
)

// Store is a client of one table. It is safe for many goroutines.
type Store struct {
	client *dynamodb.Client
	table  string
	close  func()
}

var _ lookup.Store = (*Store)(nil)

// New returns a store for a URL: dynamodb://REGION/TABLE, with ?endpoint=http://host:port for a
// server other than AWS's. Nothing is contacted yet; the control plane makes the table.
func New(storeURL string) (*Store, error) {
	place, err := parseURL(storeURL)
	if err != nil {
		return nil, err
	}
	client, closeIdle, err := Connect(place.region, place.endpoint)
	if err != nil {
		return nil, err
	}
	return &Store{client: client, table: place.table, close: closeIdle}, nil
}

// Close ends all connections that are not in use.
func (s *Store) Close() { s.close() }

// Ping tells whether the table answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.item(ctx, pingKey)
	return err
}

// item reads an item; nil where there is none.
func (s *Store) item(ctx context.Context, key string) (map[string]types.AttributeValue, error) {
	answer, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: itemKey([]byte(key)), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return answer.Item, nil
}

func itemKey(key []byte) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{keyName: &types.AttributeValueMemberB{Value: key}}
}

// ReadLayout implements lookup.Store.
func (s *Store) ReadLayout(ctx context.Context, project, view string, number uint32) (*row.Layout, error) {
	item, err := s.item(ctx, fmt.Sprintf("%s%s:%s/%d", layoutPrefix, project, view, number))
	if err != nil || item == nil {
		return nil, err
	}
	document, ok := item["layout"].(*types.AttributeValueMemberS)
	if !ok {
		return nil, errors.New("the layout is no text")
	}
	return row.ParseLayout(number, []byte(document.Value))
}

// ReadWatermarks implements lookup.Store: one item holds all of a project.
func (s *Store) ReadWatermarks(ctx context.Context, project string) (map[string]enforce.Watermarks, error) {
	item, err := s.item(ctx, markPrefix+project)
	if err != nil {
		return nil, err
	}
	marks := make(map[string]enforce.Watermarks)
	for field, value := range item {
		if us, ok := microseconds(value); ok {
			watermark.Set(marks, field, us)
		}
	}
	return marks, nil
}

// microseconds reads a map of generation and us; anything else is no evidence.
func microseconds(value types.AttributeValue) (int64, bool) {
	mark, ok := value.(*types.AttributeValueMemberM)
	if !ok {
		return 0, false
	}
	number, ok := mark.Value["us"].(*types.AttributeValueMemberN)
	if !ok {
		return 0, false
	}
	us, err := strconv.ParseInt(number.Value, 10, 64)
	return us, err == nil
}
