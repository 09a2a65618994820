// Package bundle holds what the control plane publishes for serving: projects, views with their
// contracts, services with their terms, and hashed tokens. A Bundle is immutable once parsed, so a
// request that loaded it once can never see two versions.
package bundle

import (
	"crypto/sha256"

	"freshline/serving/internal/key"
	"freshline/serving/internal/row"
)

// DefaultStore is the store of projects that name none.
const DefaultStore = "default"

// Bundle is one published state of the registry.
type Bundle struct {
	Number         int64
	Registry       string // uuid of the registry; numbers compare within one
	Digest         string // hex SHA-256 of the bytes as served
	DefaultProject string // "" if there is none
	Projects       map[string]*Project
	tokens         map[[sha256.Size]byte]Token
}

// Project is one project's views and services by name.
type Project struct {
	Name     string
	Store    string // the name of the one that holds its rows
	Views    map[string]*View
	Services map[string]*Service
	JoinKeys map[string]struct{} // the names of all join keys of its views
}

// Token says what a bearer of it may look up.
type Token struct {
	Projects  []string // "*" stands for all
	ExpiresUS int64    // 0: never
}

// View is a feature view under its contract.
type View struct {
	Project   string
	Name      string
	ID        int64
	Contract  int
	Observe   bool // compute and count everything, change no value
	Retired   bool // gone from the registry, though a service still names it: every value is missing
	Features  []Feature
	Key       *key.Encoder
	Layout    uint32 // number of the layout that rows are written under now
	Layouts   map[uint32]*row.Layout
	Terms     Terms
	byName    map[string]int
	forgotten map[string]struct{} // retired features that services still reference
}

// Feature is one feature with the checks of its contract.
type Feature struct {
	Name       string
	Dtype      row.Dtype
	Nullable   bool
	Checks     Checks
	HasDefault bool
	Default    row.Value
}

// Service is a feature service: a fixed list of features with terms of its own.
type Service struct {
	Name        string
	Features    []Ref
	MaxRejected float64
	terms       partialTerms
	repeated    [2]string // a name that two of its columns would have: short names, full names
}

// Repeated returns a name that two columns of the service's answers would have, "" where there is none.
func (s *Service) Repeated(full bool) string {
	if full {
		return s.repeated[1]
	}
	return s.repeated[0]
}

// RepeatedName returns the first name that two columns of an answer would have, "" where there is none.
func RepeatedName(refs []Ref, full bool) string {
	seen := make(map[string]struct{}, len(refs))
	for _, ref := range refs {
		name := ref.ColumnName(full)
		if _, twice := seen[name]; twice {
			return name
		}
		seen[name] = struct{}{}
	}
	return ""
}

// Ref names one feature of one view. Index is its place in View.Features, -1 for a retired one.
type Ref struct {
	View  *View
	Name  string
	Index int
}

// ColumnName is what answers call the feature; the full name tells features of the same name in two views apart.
func (r Ref) ColumnName(full bool) string {
	if full {
		return r.View.Name + "__" + r.Name
	}
	return r.Name
}

// Feature returns the feature that the reference names, nil for a retired one.
func (r Ref) Feature() *Feature {
	if r.Index < 0 {
		return nil
	}
	return &r.View.Features[r.Index]
}

// Find returns a reference to a feature of the view, retired ones included; false if the view
// never had a feature of that name that anyone still uses.
func (v *View) Find(feature string) (Ref, bool) {
	if i, ok := v.byName[feature]; ok {
		return Ref{View: v, Name: feature, Index: i}, true
	}
	_, known := v.forgotten[feature]
	return Ref{View: v, Name: feature, Index: -1}, known || v.Retired
}

// TermsFor returns the terms in force for a view read through the service; a nil service has none
// of its own.
func (s *Service) TermsFor(v *View) Terms {
	if s == nil {
		return v.Terms
	}
	return s.terms.over(v.Terms)
}

// Token returns what the bearer of a token may do, false for a token that the bundle does not know
// or that has expired by nowUS.
func (b *Bundle) Token(secret string, nowUS int64) (Token, bool) {
	token, ok := b.tokens[sha256.Sum256([]byte(secret))]
	if !ok || token.ExpiresUS != 0 && nowUS >= token.ExpiresUS {
		return Token{}, false
	}
	return token, true
}

// Allows tells whether the token reaches the project.
func (t Token) Allows(project string) bool {
	for _, name := range t.Projects {
		if name == "*" || name == project {
			return true
		}
	}
	return false
}

// OnlyProject returns the one project that the token is for, "" if it is for several.
func (t Token) OnlyProject() string {
	if len(t.Projects) == 1 && t.Projects[0] != "*" {
		return t.Projects[0]
	}
	return ""
}
