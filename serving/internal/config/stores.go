package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"freshline/serving/internal/bundle"
)

var storeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

const storeForms = "write sqlite:///path, dynamodb://region/table, redis://host:port/db, rediss://..., redis+cluster://host:port,host:port, or feast+sqlite:///path, feast+dynamodb://region, feast+redis://... and the like for a store of Feast's"

// StoreSchemes are the beginnings that a store's URL may have.
func StoreSchemes() []string {
	return []string{
		"sqlite", "redis", "rediss", "redis+cluster", "rediss+cluster", "dynamodb",
		"feast+sqlite", "feast+redis", "feast+rediss", "feast+redis+cluster", "feast+rediss+cluster", "feast+dynamodb",
	}
}

// stores reads the default store and the named ones. A complaint repeats no URL: it may hold a password.
func (r *reader) stores(one, others string) map[string]string {
	urls := map[string]string{bundle.DefaultStore: r.text(one)}
	if scheme, ok := storeScheme(urls[bundle.DefaultStore]); !ok {
		r.problem(one, scheme+"://...", storeForms)
	}
	text := r.text(others)
	if text == "" {
		return urls
	}
	var named map[string]string
	if err := json.Unmarshal([]byte(text), &named); err != nil {
		r.problem(others, "(hidden)", "write a JSON object of names and URLs")
		return urls
	}
	for name, url := range named {
		scheme, ok := storeScheme(url)
		switch {
		case !storeName.MatchString(name):
			r.problem(others, "(hidden)", fmt.Sprintf("%q cannot name a store: lower case letters, digits and underscores", name))
		case name == bundle.DefaultStore:
			r.problem(others, "(hidden)", "the store default is the one that "+one+" names; choose another name")
		case !ok:
			r.problem(others, name+": "+scheme+"://...", storeForms)
		default:
			urls[name] = url
		}
	}
	return urls
}

func storeScheme(url string) (scheme string, ok bool) {
	scheme, rest, found := strings.Cut(url, "://")
	for _, known := range StoreSchemes() {
		if found && scheme == known && rest != "" {
			return scheme, true
		}
	}
	if !found {
		return "", false // what is no URL may be a password
	}
	return scheme, false
}
