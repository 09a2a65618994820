package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
)

// longestKey is what the control plane takes of a key that is told as it is.
const longestKey = 1024

// Sample is one row of one lookup. Its key cannot be read back, unless its project's may be told.
type Sample struct {
	AtUS      int64             `json:"at_us"`
	Project   string            `json:"project"`
	View      string            `json:"view"`
	Service   string            `json:"service"`
	KeySHA256 string            `json:"key_sha256"`
	Key       string            `json:"key,omitempty"` // in hex, as the store has it
	Verdicts  map[string]string `json:"verdicts"`
	AgeUS     *int64            `json:"age_us"`
}

func (c *Counters) sample(answer *lookup.Answer, view *lookup.View, i int) Sample {
	taken := Sample{
		AtUS: answer.NowUS, Project: view.View.Project, View: view.View.Name,
		Verdicts: make(map[string]string, len(view.Columns)),
	}
	if answer.Service != nil {
		taken.Service = answer.Service.Name
	}
	key := answer.Key(view, i)
	digest := sha256.Sum256(key)
	taken.KeySHA256 = hex.EncodeToString(digest[:])
	if len(key) <= longestKey && c.tellsKeysOf(view.View.Project) {
		taken.Key = hex.EncodeToString(key)
	}
	for _, column := range view.Columns {
		taken.Verdicts[column.Ref.Name] = column.Marks[i].Verdict.String()
	}
	if state := view.Table.States[i]; state == enforce.Young || state == enforce.Old {
		age := min(view.Table.AgeUS[i], maxTold)
		taken.AgeUS = &age
	}
	return taken
}

func (c *Counters) tellsKeysOf(project string) bool {
	return slices.Contains(c.plainKeys, "*") || slices.Contains(c.plainKeys, project)
}
