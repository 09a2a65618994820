package dynamo

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"freshline/serving/internal/lookup"
)

const longestKey = 2048 // bytes; nothing can lie under a longer one

// ReadRows implements lookup.Store: BatchGetItem in pieces of a hundred keys, side by side.
func (s *Store) ReadRows(ctx context.Context, read *lookup.Read) error {
	prefix := rowPrefix + read.Project + ":"
	places := make(map[string][]int, len(read.Keys)) // a call refuses the same key twice
	unique := make([]Item, 0, len(read.Keys))
	for k, key := range read.Keys {
		if len(prefix)+len(key) > longestKey {
			continue
		}
		full := prefix + string(key)
		if places[full] == nil {
			unique = append(unique, itemKey([]byte(full)))
		}
		places[full] = append(places[full], k)
	}
	batch := s.batch(read.Views)
	unread, err := batch.Read(ctx, unique, Turns(), func(item Item) { fill(read, item, places) })
	if err == nil {
		return nil
	}
	for _, item := range unread {
		for _, k := range places[keyOf(item)] {
			read.Missed[k] = true
		}
	}
	if slices.Contains(read.Missed, false) {
		read.Partial = err
		return nil
	}
	return err
}

// batch asks for the key and the rows of views, and for them alone.
func (s *Store) batch(views []string) Batch {
	names := map[string]string{"#k": keyName}
	projection := make([]string, 1, len(views)+1)
	projection[0] = "#k"
	for v, view := range views {
		name := "#v" + strconv.Itoa(v)
		names[name] = view
		projection = append(projection, name)
	}
	return Batch{
		Client: s.client, Table: s.table, Consistent: true,
		Names: names, Projection: strings.Join(projection, ","),
	}
}

func fill(read *lookup.Read, item Item, places map[string][]int) {
	key := keyOf(item)
	for v, view := range read.Views {
		data, ok := item[view].(*types.AttributeValueMemberB)
		if !ok {
			continue // another type is nobody's row
		}
		for _, k := range places[key] {
			read.Rows[v*len(read.Keys)+k] = data.Value
		}
	}
}

func keyOf(item Item) string {
	if key, ok := item[keyName].(*types.AttributeValueMemberB); ok {
		return string(key.Value)
	}
	return ""
}
