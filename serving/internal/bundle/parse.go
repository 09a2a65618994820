package bundle

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"freshline/serving/internal/key"
	"freshline/serving/internal/row"
)

const format = 1

// ErrCorrupt is wrapped by every complaint about a bundle's content.
var ErrCorrupt = errors.New("corrupt bundle")

// Digest returns the name of a bundle's bytes.
func Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Parse reads a bundle and checks all of it: what this accepts, no request can stumble over.
func Parse(body []byte) (*Bundle, error) {
	var doc document
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if doc.Format != format {
		return nil, fmt.Errorf("%w: format %d is not %d", ErrCorrupt, doc.Format, format)
	}
	if doc.Registry == "" {
		return nil, fmt.Errorf("%w: no registry", ErrCorrupt)
	}
	b := &Bundle{
		Number:   doc.Number,
		Registry: doc.Registry,
		Digest:   Digest(body),
		Projects: make(map[string]*Project, len(doc.Projects)),
		tokens:   make(map[[sha256.Size]byte]Token, len(doc.Tokens)),
	}
	if doc.DefaultProject != nil {
		b.DefaultProject = *doc.DefaultProject
	}
	for i, token := range doc.Tokens {
		if err := b.addToken(token); err != nil {
			return nil, fmt.Errorf("%w: tokens[%d]: %w", ErrCorrupt, i, err)
		}
	}
	for name, projectDoc := range doc.Projects {
		project, err := parseProject(name, projectDoc)
		if err != nil {
			return nil, fmt.Errorf("%w: project %q: %w", ErrCorrupt, name, err)
		}
		b.Projects[name] = project
	}
	return b, nil
}

func (b *Bundle) addToken(doc tokenDocument) error {
	sum, err := hex.DecodeString(doc.SHA256)
	if err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("sha256 %q is no SHA-256 in hex", doc.SHA256)
	}
	token := Token{Projects: doc.Projects}
	if doc.ExpiresUS != nil {
		token.ExpiresUS = *doc.ExpiresUS
	}
	b.tokens[[sha256.Size]byte(sum)] = token
	return nil
}

func parseProject(name string, doc projectDocument) (*Project, error) {
	p := &Project{
		Name:     name,
		Store:    cmp.Or(doc.Store, DefaultStore),
		Views:    make(map[string]*View, len(doc.Views)),
		Services: make(map[string]*Service, len(doc.Services)),
		JoinKeys: make(map[string]struct{}),
	}
	for viewName, viewDoc := range doc.Views {
		view, err := parseView(name, viewName, viewDoc)
		if err != nil {
			return nil, fmt.Errorf("view %q: %w", viewName, err)
		}
		p.Views[viewName] = view
		for _, joinKey := range view.Key.JoinKeys() {
			p.JoinKeys[joinKey.Name] = struct{}{}
		}
	}
	for serviceName, serviceDoc := range doc.Services {
		service, err := p.parseService(serviceName, serviceDoc)
		if err != nil {
			return nil, fmt.Errorf("service %q: %w", serviceName, err)
		}
		p.Services[serviceName] = service
	}
	return p, nil
}

func (p *Project) parseService(name string, doc serviceDocument) (*Service, error) {
	terms, err := doc.Terms.partial()
	if err != nil {
		return nil, fmt.Errorf("terms: %w", err)
	}
	s := &Service{Name: name, MaxRejected: doc.MaxRejected, terms: terms}
	gone := make(map[string]*View)
	for _, pair := range doc.Features {
		view := p.Views[pair[0]]
		if view == nil {
			view = retiredView(gone, p.Name, pair[0])
		}
		// A feature that the contract no longer names answers "missing, retired", never an error:
		// the registry let it go knowingly, and the service's other features still serve.
		ref, _ := view.Find(pair[1])
		s.Features = append(s.Features, ref)
	}
	s.repeated = [2]string{RepeatedName(s.Features, false), RepeatedName(s.Features, true)}
	return s, nil
}

func retiredView(gone map[string]*View, project, name string) *View {
	if gone[name] == nil {
		gone[name] = &View{Project: project, Name: name, Retired: true, Terms: Terms{OnMissing: Null}}
	}
	return gone[name]
}

func parseView(project, name string, doc viewDocument) (*View, error) {
	v := &View{
		Project: project, Name: name, ID: doc.ID, Contract: doc.Contract, Layout: doc.Layout,
		Layouts:   make(map[uint32]*row.Layout, len(doc.Layouts)),
		byName:    make(map[string]int, len(doc.Features)),
		forgotten: make(map[string]struct{}),
	}
	switch doc.Enforcement {
	case "enforce":
	case "observe":
		v.Observe = true
	default:
		return nil, fmt.Errorf("enforcement %q is neither enforce nor observe", doc.Enforcement)
	}
	var err error
	if v.Terms, err = doc.Terms.whole(); err != nil {
		return nil, fmt.Errorf("terms: %w", err)
	}
	if err := v.addKey(doc.JoinKeys); err != nil {
		return nil, err
	}
	if err := v.addLayouts(doc.Layouts); err != nil {
		return nil, err
	}
	for i, featureDoc := range doc.Features {
		feature, err := parseFeature(featureDoc)
		if err != nil {
			return nil, fmt.Errorf("feature %q: %w", featureDoc.Name, err)
		}
		v.byName[feature.Name] = i
		v.Features = append(v.Features, feature)
	}
	for _, retired := range doc.RetiredFeatures {
		v.forgotten[retired] = struct{}{}
	}
	return v, nil
}

func (v *View) addKey(specs []row.Spec) error {
	joinKeys := make([]key.JoinKey, len(specs))
	for i, spec := range specs {
		dtype, err := row.ParseDtype(spec.Dtype)
		if err != nil {
			return fmt.Errorf("join key %q: %w", spec.Name, err)
		}
		joinKeys[i] = key.JoinKey{Name: spec.Name, Dtype: dtype}
	}
	encoder, err := key.NewEncoder(joinKeys)
	v.Key = encoder
	return err
}

func (v *View) addLayouts(documents map[string][]row.Spec) error {
	for text, specs := range documents {
		number, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("layout number %q: %w", text, err)
		}
		layout, err := row.NewLayout(uint32(number), specs)
		if err != nil {
			return err
		}
		v.Layouts[layout.Number] = layout
	}
	return nil
}

func parseFeature(doc featureDocument) (Feature, error) {
	dtype, err := row.ParseDtype(doc.Dtype)
	if err != nil {
		return Feature{}, err
	}
	checks, err := doc.checks(dtype)
	if err != nil {
		return Feature{}, err
	}
	feature := Feature{Name: doc.Name, Dtype: dtype, Nullable: doc.Nullable, Checks: checks}
	if given(doc.Default) {
		feature.HasDefault = true
		if feature.Default, err = row.ParseValue(dtype, doc.Default); err != nil {
			return Feature{}, fmt.Errorf("default: %w", err)
		}
	}
	return feature, nil
}
