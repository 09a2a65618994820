package lookup_test

import (
	"bytes"
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
)

func TestATextIsItsOwnBytesToAKeyOfBytesWhereBytesAreToldApart(t *testing.T) {
	f := newFixture(t)
	b, err := bundle.Parse([]byte(strings.Replace(lookuptest.Document, `"name":"airport","dtype":"int64"`, `"name":"airport","dtype":"bytes"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	f.holder.Store(b)
	var keys [][]byte
	f.store.Fault = func(read *lookup.Read) error {
		keys = keys[:0]
		for _, key := range read.Keys {
			keys = append(keys, bytes.Clone(key))
		}
		return nil
	}
	for name, test := range map[string]struct {
		typed  bool
		binary []bool
		want   []string
	}{
		"JSON":           {false, nil, []string{"\x00\x01", "\x00\x01"}},
		"texts":          {true, nil, []string{"AAE=", "AAE="}},
		"both, mixed":    {true, []bool{true, false}, []string{"\x00\x01", "AAE="}},
		"bytes, of both": {true, []bool{true, true}, []string{"\x00\x01", "\x00\x01"}},
	} {
		f.lookup(&lookup.Request{Features: []string{"airport_weather:wind"}, Entities: []lookup.EntityColumn{
			{Name: "airport", Values: values(`"AAE="`, `"AAE="`), Typed: test.typed, Binary: test.binary},
		}})
		for k, want := range test.want {
			size := len(want)
			if !bytes.HasSuffix(keys[k], append([]byte{byte(size), 0, 0, 0}, want...)) {
				t.Errorf("%s: key %d is %q, want the bytes %q", name, k, keys[k], want)
			}
		}
	}
}
