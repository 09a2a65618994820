package lookup

import (
	"encoding/base64"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/jsonscan"
	"freshline/serving/internal/key"
	"freshline/serving/internal/row"
)

// group is the views of a request that share their join keys, and so their read.
type group struct {
	signature string
	encoder   *key.Encoder
	read      Read
	bytes     []byte // what read.Keys point into
	ends      []int
	columns   []int
	err       error
}

func unevenColumns(name string) error {
	return failure(UnevenColumns, name, "All entity rows must have the same columns.")
}

// shape checks the entity columns against the bundle and returns the number of rows.
func shape(project *bundle.Project, request *Request, limit int) (int, error) {
	rows := countRows(request.Entities)
	if request.AsFeast {
		if err := request.passOver(project); err != nil {
			return 0, err
		}
	}
	entities := request.Entities
	for i, column := range entities {
		if len(column.Values) != rows {
			return 0, unevenColumns(column.Name)
		}
		if _, known := project.JoinKeys[column.Name]; !known {
			return 0, failure(UnknownEntity, column.Name,
				"Entity %s does not exist in project %s", column.Name, project.Name)
		}
		for _, earlier := range entities[:i] {
			if earlier.Name == column.Name {
				return 0, failure(UnevenColumns, column.Name, "Join key %s is given twice", column.Name)
			}
		}
	}
	if rows > limit {
		return 0, failure(TooManyEntities, "", "%d entities are asked for, at most %d are allowed", rows, limit)
	}
	return rows, nil
}

// encode writes the keys of all rows.
func (g *group) encode(entities []EntityColumn, rows int, asFeast bool) error {
	joinKeys := g.encoder.JoinKeys()
	g.columns = g.columns[:0]
	for _, joinKey := range joinKeys {
		at := -1
		for i := range entities {
			if entities[i].Name == joinKey.Name {
				at = i
			}
		}
		if at < 0 && joinKey.Name != dummyKey {
			return failure(KeyMissing, joinKey.Name, "Missing join key values for keys: [%s].", joinKey.Name)
		}
		if at >= 0 && entities[at].Binary != nil && joinKey.Dtype != row.Bytes {
			return failure(KeyBad, joinKey.Name, "Join key %s takes %s, not bytes", joinKey.Name, joinKey.Dtype)
		}
		g.columns = append(g.columns, at)
	}
	g.bytes, g.ends = g.bytes[:0], resized(g.ends, rows)
	for i := range rows {
		g.bytes = g.encoder.AppendNames(g.bytes)
		for k, at := range g.columns {
			value := dummyValue
			if at >= 0 {
				if asFeast {
					entities[at].Values[i] = asKey(joinKeys[k].Dtype, entities[at].Values[i])
				}
				value = entities[at].Values[i]
				if joinKeys[k].Dtype == row.Bytes && entities[at].isText(i) {
					value = inBase64(value)
				}
			}
			var err error
			g.bytes, err = key.AppendValue(g.bytes, joinKeys[k].Dtype, value)
			if err != nil {
				return failure(KeyBad, joinKeys[k].Name, "Join key %s, row %d: %s", joinKeys[k].Name, i, err)
			}
		}
		g.ends[i] = len(g.bytes)
	}
	g.read.Keys = resized(g.read.Keys, rows)
	from := 0
	for i, end := range g.ends {
		g.read.Keys[i] = g.bytes[from:end:end]
		from = end
	}
	return nil
}

// isText tells whether a value is a text where bytes would be told apart.
func (c *EntityColumn) isText(i int) bool { return c.Typed && (c.Binary == nil || !c.Binary[i]) }

// inBase64 spells a text as a key of bytes takes it in JSON; what is no text stays as it is.
func inBase64(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '"' {
		return raw
	}
	text, err := jsonscan.AppendText(nil, raw)
	if err != nil {
		return raw
	}
	return append(base64.StdEncoding.AppendEncode([]byte{'"'}, text), '"')
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
