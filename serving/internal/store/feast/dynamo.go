package feast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/spread"
	"freshline/serving/internal/store/dynamo"
)

const (
	idName          = "entity_id"
	timeName        = "event_ts"
	valuesName      = "values"
	defaultTemplate = "{project}.{table_name}" // Feast's own
	maxProjection   = 4 << 10                  // bytes; DynamoDB refuses longer expressions
	dynamoForm      = "the store's URL is not of the form feast+dynamodb://region?endpoint=http://host:port&table_name_template={project}.{table_name}"
)

// Dynamo reads Feast's tables in DynamoDB: one for each project and view, with an item for each entity. A table
// that is not there reads as no rows. It is safe for many goroutines.
type Dynamo struct {
	client   *dynamodb.Client
	template string
	close    func()
	*variants
}

var _ lookup.Store = (*Dynamo)(nil)

// NewDynamo returns a store for a URL: dynamodb://REGION, with ?endpoint=http://host:port for a server other
// than AWS's, and table_name_template= where Feast has another than its default. Nothing is contacted yet.
func NewDynamo(storeURL string) (*Dynamo, error) {
	region, endpoint, template, err := parseDynamoURL(storeURL)
	if err != nil {
		return nil, err
	}
	client, closeIdle, err := dynamo.Connect(region, endpoint)
	if err != nil {
		return nil, err
	}
	return &Dynamo{client: client, template: template, close: closeIdle, variants: newVariants()}, nil
}

func parseDynamoURL(storeURL string) (region, endpoint, template string, err error) {
	parsed, err := url.Parse(storeURL)
	if err != nil || parsed.Scheme != "dynamodb" || strings.Trim(parsed.Path, "/") != "" || parsed.User != nil || !dynamo.IsRegion(parsed.Host) {
		return "", "", "", errors.New(dynamoForm)
	}
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return "", "", "", errors.New(dynamoForm)
	}
	template = defaultTemplate
	for name, values := range query {
		switch {
		case len(values) == 1 && name == "endpoint" && dynamo.IsEndpoint(values[0]):
			endpoint = values[0]
		case len(values) == 1 && name == "table_name_template" && strings.Contains(values[0], "{table_name}"):
			template = values[0]
		default:
			return "", "", "", errors.New(dynamoForm)
		}
	}
	return parsed.Host, endpoint, template, nil
}

// Close ends all connections that are not in use.
func (s *Dynamo) Close() { s.close() }

// Ping tells whether DynamoDB answers. Who may read Feast's tables need not be allowed to list them: a refusal is
// an answer.
func (s *Dynamo) Ping(ctx context.Context) error {
	_, err := s.client.ListTables(ctx, &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
	var refusal smithy.APIError
	if errors.As(err, &refusal) && refusal.ErrorCode() == "AccessDeniedException" {
		return nil
	}
	return err
}

// ReadWatermarks implements lookup.Store: Feast keeps none, so that a value is as old as its event time.
// The server is asked all the same, so that what is said of it is true.
func (s *Dynamo) ReadWatermarks(ctx context.Context, _ string) (map[string]enforce.Watermarks, error) {
	return nil, s.Ping(ctx)
}

// ReadRows implements lookup.Store: for each view BatchGetItem in pieces of a hundred keys, all side by side.
func (s *Dynamo) ReadRows(ctx context.Context, read *lookup.Read) error {
	if err := described(read); err != nil {
		return err
	}
	places := make(map[string][]int, len(read.Keys)) // a call refuses the same key twice
	keys := make([]dynamo.Item, 0, len(read.Keys))
	for k, key := range read.Keys {
		id := entityID(key)
		if places[id] == nil {
			keys = append(keys, dynamo.Item{idName: &types.AttributeValueMemberS{Value: id}})
		}
		places[id] = append(places[id], k)
	}
	unread, failures := make([][]dynamo.Item, len(read.Views)), make([]error, len(read.Views))
	turns := dynamo.Turns()
	var views spread.Group
	for v := range read.Views {
		views.Go(func() { unread[v], failures[v] = s.readView(ctx, read, v, keys, places, turns) })
	}
	views.Wait()
	for v := range unread {
		for _, key := range unread[v] {
			for _, k := range places[idOf(key)] {
				read.MissRow(v, k)
			}
		}
	}
	failure := cmp.Or(failures...)
	if !nothingRead(unread, len(keys)) {
		read.Partial = failure
		return nil
	}
	return failure
}

// nothingRead tells whether not one key could be read in any view.
func nothingRead(unread [][]dynamo.Item, keys int) bool {
	for _, missed := range unread {
		if len(missed) < keys {
			return false
		}
	}
	return true
}

// readView reads one view's table; it returns the keys that it could not read.
func (s *Dynamo) readView(
	ctx context.Context, read *lookup.Read, v int, keys []dynamo.Item, places map[string][]int, turns chan struct{},
) ([]dynamo.Item, error) {
	layout := read.Layouts[v]
	batch := s.batch(read.Project, read.Views[v], layout)
	var lock sync.Mutex
	packer := packer{variants: s.variants}
	var entry entry
	unread, err := batch.Read(ctx, keys, turns, func(item dynamo.Item) {
		lock.Lock()
		defer lock.Unlock()
		entry.reset(len(layout.Fields))
		collect(item, layout, &entry)
		data := entry.pack(&packer, layout)
		for _, k := range places[idOf(item)] {
			read.Rows[v*len(read.Keys)+k] = data
		}
	})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return unread, fmt.Errorf("view %q: %w", read.Views[v], err)
	}
	return nil, nil
}

// batch asks for the columns of the layout, and for them alone unless they are too many to be named: what is read
// costs the same either way.
func (s *Dynamo) batch(project, view string, layout *row.Layout) dynamo.Batch {
	names := map[string]string{"#id": idName, "#ts": timeName, "#values": valuesName}
	projection := []byte("#id,#ts")
	for i := range layout.Fields {
		name := "#f" + strconv.Itoa(i)
		names[name] = layout.Fields[i].Name
		projection = append(append(projection, ",#values."...), name...)
	}
	if len(layout.Fields) == 0 {
		delete(names, "#values")
	}
	if len(projection) > maxProjection {
		names = map[string]string{"#id": idName, "#ts": timeName, "#values": valuesName}
		projection = []byte("#id,#ts,#values")
	}
	return dynamo.Batch{
		Client: s.client, Consistent: true, Names: names, Projection: string(projection),
		Table: strings.NewReplacer("{project}", project, "{table_name}", view).Replace(s.template),
	}
}

// collect reads an item. Without a value there may be none of the layout's, and there is a row all the same.
func collect(item dynamo.Item, layout *row.Layout, to *entry) {
	text, ok := item[timeName].(*types.AttributeValueMemberS)
	if !ok {
		to.state = broken // values without a time are of no age
		return
	}
	to.dated(parseTime(text.Value))
	if item[valuesName] == nil {
		return
	}
	values, ok := item[valuesName].(*types.AttributeValueMemberM)
	if !ok {
		to.state = broken
		return
	}
	for name, attribute := range values.Value {
		column, known := layout.Index([]byte(name))
		if !known {
			continue
		}
		value, ok := attribute.(*types.AttributeValueMemberB)
		switch {
		case !ok:
			to.state = broken
		case value.Value == nil:
			to.fields[column] = []byte{} // an empty value is a null, and not nil
		default:
			to.fields[column] = value.Value
		}
	}
}

func idOf(item dynamo.Item) string {
	if id, ok := item[idName].(*types.AttributeValueMemberS); ok {
		return id.Value
	}
	return ""
}
