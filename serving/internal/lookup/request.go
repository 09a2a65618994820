package lookup

import (
	"cmp"
	"strings"
	"time"

	"freshline/serving/internal/bundle"
)

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
}

// EntityColumn holds one join key's values, row by row, each as JSON.
type EntityColumn struct {
	Name   string
	Values [][]byte
	Binary bool // some values are bytes and not text, which a key of text does not take
}

// Limits bound what one request may ask for.
type Limits struct {
	Entities   int
	Features   int
	Concurrent int // requests at once; more are turned away
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
