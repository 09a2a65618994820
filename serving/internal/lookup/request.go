package lookup

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"freshline/serving/internal/bundle"
)

// MaxKeyValues bounds the values of all join keys that are read of one request before anything else is
// known of it.
const MaxKeyValues = 1 << 20

// ErrKeyValues is a request with more of them.
var ErrKeyValues = &Error{Kind: TooManyEntities, Message: fmt.Sprintf("entities holds more than %d values", MaxKeyValues)}

// Request is one lookup. Entity values are the JSON text of the caller, validated and not yet read.
type Request struct {
	Project    string
	Service    string   // wins over Features
	TermsOf    string   // the service under whose terms Features are judged; "" for the views' own
	Features   []string // view:feature
	Entities   []EntityColumn
	FullNames  bool
	Timeout    time.Duration
	Unobserved bool // an explanation, not a use: counted nowhere
	AsFeast    bool // keys of either kind, and columns that are no join key passed over, as Feast's server takes them
}

// EntityColumn holds one join key's values, row by row, each as JSON.
type EntityColumn struct {
	Name   string
	Values [][]byte
	Typed  bool   // bytes are told apart from texts: a text is its own bytes to a key of bytes, and no base64
	Binary []bool // by value, of a typed column: bytes, which no key of text takes; nil: none are
}

// Limits bound what one request may ask for.
type Limits struct {
	Entities   int
	Features   int
	Concurrent int // requests at once; more are turned away
	Values     int // of all requests at once, which bounds their memory; more are turned away
}

// resolve finds every feature that the request names.
func resolve(project *bundle.Project, r *Request, limits Limits) (*bundle.Service, []bundle.Ref, error) {
	var service *bundle.Service
	if name := cmp.Or(r.Service, r.TermsOf); name != "" {
		if service = project.Services[name]; service == nil {
			return nil, nil, failure(UnknownService, name,
				"Feature service %s does not exist in project %s", name, r.Project)
		}
	}
	if r.Service != "" {
		return service, service.Features, check(service.Features, service.Repeated(r.FullNames), r.FullNames, limits)
	}
	if len(r.Features) == 0 {
		return nil, nil, failure(NoFeatures, "", "No features specified for retrieval")
	}
	refs := make([]bundle.Ref, len(r.Features))
	for i, text := range r.Features {
		ref, err := find(project, text)
		if err != nil {
			return nil, nil, err
		}
		refs[i] = ref
	}
	return service, refs, check(refs, bundle.RepeatedName(refs, r.FullNames), r.FullNames, limits)
}

func find(project *bundle.Project, text string) (bundle.Ref, error) {
	viewName, feature, ok := strings.Cut(text, ":")
	if name, version, versioned := strings.Cut(viewName, "@"); versioned && ok {
		return bundle.Ref{}, failure(BadReference, text,
			"Version-qualified reference %q: there is one contract in force of each view, and no %.40s; write %s:%s", text, version, name, feature)
	}
	if !ok || viewName == "" || feature == "" {
		return bundle.Ref{}, failure(BadReference, text,
			"Feature reference %q is not of the form feature_view:feature", text)
	}
	view := project.Views[viewName]
	if view == nil {
		return bundle.Ref{}, failure(UnknownView, viewName,
			"Feature view %s does not exist in project %s", viewName, project.Name)
	}
	ref, ok := view.Find(feature)
	if !ok {
		return bundle.Ref{}, failure(UnknownFeature, text,
			"Feature %s not found in projection %s", feature, viewName)
	}
	return ref, nil
}

// check refuses too many features, and answers in which two columns would have one name.
func check(refs []bundle.Ref, repeated string, full bool, limits Limits) error {
	if len(refs) > limits.Features {
		return failure(TooManyFeatures, "", "%d features are asked for, at most %d are allowed", len(refs), limits.Features)
	}
	if repeated != "" {
		return failure(Collision, repeated, "Duplicate features named %s found.\n%s", repeated, collisionAdvice(full))
	}
	return nil
}

func collisionAdvice(full bool) string {
	if full {
		return "Name each feature once."
	}
	return "To resolve this collision, either use the full feature name by setting 'full_feature_names=True', " +
		"or ensure that the features in question have different names."
}
