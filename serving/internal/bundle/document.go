package bundle

import (
	"encoding/json"

	"freshline/serving/internal/row"
)

// The bundle as it travels: canonical JSON, written by the control plane.

type document struct {
	Format         int                        `json:"format"`
	Number         int64                      `json:"number"`
	Registry       string                     `json:"registry"`
	DefaultProject *string                    `json:"default_project"`
	Tokens         []tokenDocument            `json:"tokens"`
	Projects       map[string]projectDocument `json:"projects"`
}

type tokenDocument struct {
	SHA256    string   `json:"sha256"`
	Projects  []string `json:"projects"`
	ExpiresUS *int64   `json:"expires_us"`
}

type projectDocument struct {
	Store    string                     `json:"store"` // "": the default one
	Views    map[string]viewDocument    `json:"views"`
	Services map[string]serviceDocument `json:"services"`
}

type serviceDocument struct {
	Aliases     map[string]string `json:"aliases"` // by view; absent: none
	Features    [][2]string       `json:"features"`
	MaxRejected float64           `json:"max_rejected"`
	Terms       termsDocument     `json:"terms"`
}

type termsDocument struct {
	MaxAgeUS  *int64  `json:"max_age_us"`
	OnStale   *string `json:"on_stale"`
	OnMissing *string `json:"on_missing"`
	OnInvalid *string `json:"on_invalid"`
}

type viewDocument struct {
	ID              int64                 `json:"id"`
	Contract        int                   `json:"contract"`
	Enforcement     string                `json:"enforcement"`
	Features        []featureDocument     `json:"features"`
	JoinKeys        []row.Spec            `json:"join_keys"`
	Layout          uint32                `json:"layout"`
	Layouts         map[string][]row.Spec `json:"layouts"`
	RetiredFeatures []string              `json:"retired_features"`
	Terms           termsDocument         `json:"terms"`
}

type featureDocument struct {
	Name      string            `json:"name"`
	Dtype     string            `json:"dtype"`
	Nullable  bool              `json:"nullable"`
	Min       json.RawMessage   `json:"min"`
	Max       json.RawMessage   `json:"max"`
	Allowed   []json.RawMessage `json:"allowed"`
	MaxLength *int              `json:"max_length"`
	Pattern   *string           `json:"pattern"`
	MinItems  *int              `json:"min_items"`
	MaxItems  *int              `json:"max_items"`
	AllowNaN  bool              `json:"allow_nan"`
	AllowInf  bool              `json:"allow_inf"`
	Default   json.RawMessage   `json:"default"`
}
