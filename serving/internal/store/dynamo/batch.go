package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"freshline/serving/internal/spread"
)

const (
	keysPerCall  = 100 // as DynamoDB has it
	callsAtOnce  = 16  // of one lookup
	firstPause   = 5 * time.Millisecond
	longestPause = 200 * time.Millisecond
)

// Item is an item's attributes, or its key.
type Item = map[string]types.AttributeValue

// Batch reads items of one table by their keys, a hundred a call.
type Batch struct {
	Client     *dynamodb.Client
	Table      string
	Names      map[string]string // what the projection's names stand for
	Projection string
	Consistent bool
}

// Turns returns what bounds the calls of one lookup that are under way at once.
func Turns() chan struct{} { return make(chan struct{}, callsAtOnce) }

// Read gives every item that is there to take, which may be called by several goroutines at once, with no item
// twice. It returns the keys that could not be read, and why the first of them could not.
func (b *Batch) Read(ctx context.Context, keys []Item, turns chan struct{}, take func(Item)) (unread []Item, err error) {
	var pieces spread.Group
	var lock sync.Mutex
	for piece := range slices.Chunk(keys, keysPerCall) {
		turns <- struct{}{}
		pieces.Go(func() {
			defer func() { <-turns }()
			left, failure := b.readPiece(ctx, piece, take)
			if failure == nil {
				return
			}
			lock.Lock()
			defer lock.Unlock()
			unread = append(unread, left...)
			if err == nil {
				err = failure
			}
		})
	}
	pieces.Wait()
	return unread, err
}

// readPiece asks until no key is left unprocessed, or ctx ends; it returns the keys that were not read.
func (b *Batch) readPiece(ctx context.Context, keys []Item, take func(Item)) ([]Item, error) {
	wanted := types.KeysAndAttributes{
		Keys: keys, ConsistentRead: &b.Consistent, ExpressionAttributeNames: b.Names, ProjectionExpression: &b.Projection,
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		answer, err := b.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{b.Table: wanted},
		})
		if err != nil {
			return wanted.Keys, err
		}
		for _, item := range answer.Responses[b.Table] {
			take(item)
		}
		left := answer.UnprocessedKeys[b.Table].Keys
		if len(left) == 0 {
			return nil, nil
		}
		wanted.Keys = left
		if err := rest(ctx, pause); err != nil {
			return wanted.Keys, fmt.Errorf("%d of %d keys were left unprocessed: %w", len(left), len(keys), err)
		}
	}
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
