package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"freshline/serving/internal/lookup"
)

const (
	keysPerCall  = 100  // as DynamoDB has it
	longestKey   = 2048 // bytes; nothing can lie under a longer one
	callsAtOnce  = 16   // of one lookup
	firstPause   = 5 * time.Millisecond
	longestPause = 200 * time.Millisecond
)

// ReadRows implements lookup.Store: BatchGetItem in pieces of a hundred keys, side by side.
func (s *Store) ReadRows(ctx context.Context, read *lookup.Read) error {
	prefix := rowPrefix + read.Project + ":"
	places := make(map[string][]int, len(read.Keys)) // a call refuses the same key twice
	unique := make([]string, 0, len(read.Keys))
	for k, key := range read.Keys {
		if len(prefix)+len(key) > longestKey {
			continue
		}
		full := prefix + string(key)
		if places[full] == nil {
			unique = append(unique, full)
		}
		places[full] = append(places[full], k)
	}
	failures := s.readPieces(ctx, read, unique, places)
	if len(failures) == 0 {
		return nil
	}
	for _, missed := range read.Missed {
		if !missed {
			return nil
		}
	}
	return failures[0]
}

// readPieces reads all pieces. No two of them write to the same place of read.
func (s *Store) readPieces(ctx context.Context, read *lookup.Read, keys []string, places map[string][]int) []error {
	var pieces sync.WaitGroup
	var lock sync.Mutex
	var failures []error
	turns := make(chan struct{}, callsAtOnce)
	for piece := range slices.Chunk(keys, keysPerCall) {
		turns <- struct{}{}
		pieces.Go(func() {
			defer func() { <-turns }()
			left, err := s.readPiece(ctx, read, piece, places)
			if err == nil {
				return
			}
			lock.Lock()
			defer lock.Unlock()
			failures = append(failures, err)
			for _, key := range left {
				for _, k := range places[key] {
					read.Missed[k] = true
				}
			}
		})
	}
	pieces.Wait()
	return failures
}

// readPiece asks until no key is left unprocessed, or ctx ends; it returns the keys that were not read.
func (s *Store) readPiece(ctx context.Context, read *lookup.Read, keys []string, places map[string][]int) ([]string, error) {
	wanted := s.request(read.Views, keys)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		answer, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: wanted},
		})
		if err != nil {
			return unread(wanted), err
		}
		for _, item := range answer.Responses[s.table] {
			fill(read, item, places)
		}
		left := answer.UnprocessedKeys[s.table].Keys
		if len(left) == 0 {
			return nil, nil
		}
		wanted.Keys = left
		if err := rest(ctx, pause); err != nil {
			return unread(wanted), fmt.Errorf("%d of %d keys were left unprocessed: %w", len(left), len(keys), err)
		}
	}
}

func (s *Store) request(views, keys []string) types.KeysAndAttributes {
	names := map[string]string{"#k": keyName}
	projection := make([]string, 1, len(views)+1)
	projection[0] = "#k"
	for v, view := range views {
		name := "#v" + strconv.Itoa(v)
		names[name] = view
		projection = append(projection, name)
	}
	request := types.KeysAndAttributes{
		ConsistentRead: aws.Bool(true), ExpressionAttributeNames: names,
		ProjectionExpression: aws.String(strings.Join(projection, ",")),
		Keys:                 make([]map[string]types.AttributeValue, len(keys)),
	}
	for k, key := range keys {
		request.Keys[k] = itemKey([]byte(key))
	}
	return request
}

func fill(read *lookup.Read, item map[string]types.AttributeValue, places map[string][]int) {
	key, ok := item[keyName].(*types.AttributeValueMemberB)
	if !ok {
		return
	}
	for v, view := range read.Views {
		data, ok := item[view].(*types.AttributeValueMemberB)
		if !ok {
			continue // another type is nobody's row
		}
		for _, k := range places[string(key.Value)] {
			read.Rows[v*len(read.Keys)+k] = data.Value
		}
	}
}

func unread(request types.KeysAndAttributes) []string {
	keys := make([]string, 0, len(request.Keys))
	for _, item := range request.Keys {
		if key, ok := item[keyName].(*types.AttributeValueMemberB); ok {
			keys = append(keys, string(key.Value))
		}
	}
	return keys
}

// rest waits between half a pause and a whole one, so that many lookups do not come back at once.
func rest(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause/2 + rand.N(pause/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
