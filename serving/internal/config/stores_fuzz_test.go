package config

import (
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
)

// FuzzStores reads any text as the list of further stores: it is taken or complained of, the default store
// stays the one that STORE_URL names, and no complaint repeats a password.
func FuzzStores(f *testing.F) {
	f.Add(`{"billing":"redis://host:6379/1"}`)
	f.Add(`{"default":"sqlite:///x","Bad Name":"dynamodb://r/t","x":"http://u:secret@host"}`)
	f.Add(`redis://u:secret@host`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Load(from("STORE_URL", "sqlite:///mine", "FRESHLINE_STORES", text))
		if c.Stores[bundle.DefaultStore] != "sqlite:///mine" {
			t.Errorf("%q moves the default store to %q", text, c.Stores[bundle.DefaultStore])
		}
		for name, url := range c.Stores {
			if _, known := storeScheme(url); !known || !storeName.MatchString(name) {
				t.Errorf("%q gives the store %q: %q", text, name, url)
			}
		}
		if err != nil && strings.Contains(text, "secret") && strings.Contains(err.Error(), "secret") && !strings.Contains(text, "secret://") && !strings.Contains(text, `"secret`) {
			t.Errorf("the complaint tells the password: %v", err)
		}
	})
}
