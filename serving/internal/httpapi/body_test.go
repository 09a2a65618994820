package httpapi

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"freshline/serving/internal/lookup"
)

func TestABodyIsReadWhateverItsOrderAndSpacing(t *testing.T) {
	var b body
	text := ` { "entities" : { "a\u0062" : [ 1 , "x" ] , "c" : [ ] }, "extra": {"deep":[[{}]]}, "features":null, "feature_service" : "s", "full_feature_names":true, "project":"p" } `
	for range 2 { // the second time over the first one's memory
		if err := b.parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if b.Service != "s" || b.Project != "p" || !b.FullNames || b.versions || len(b.Features) != 0 || len(b.Entities) != 2 {
			t.Errorf("read %+v", b)
		}
		if first := b.Entities[0]; first.Name != "ab" || string(first.Values[0]) != "1" || string(first.Values[1]) != `"x"` || len(b.Entities[1].Values) != 0 {
			t.Errorf("read %+v", b.Entities)
		}
	}
}

func TestManyColumnsKeepTheirValuesWhenMemoryGrows(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"entities":{`)
	for column := range 20 {
		if column > 0 {
			text.WriteString(",")
		}
		text.WriteString(`"` + string(rune('a'+column)) + `":["` + strings.Repeat(string(rune('a'+column)), 3) + `"` + strings.Repeat(`,1`, 50) + `]`)
	}
	text.WriteString(`}}`)
	var b body
	if err := b.parse([]byte(text.String())); err != nil {
		t.Fatal(err)
	}
	for column, entity := range b.Entities {
		if want := `"` + strings.Repeat(string(rune('a'+column)), 3) + `"`; string(entity.Values[0]) != want || len(entity.Values) != 51 {
			t.Errorf("column %d begins with %s, want %s", column, entity.Values[0], want)
		}
	}
}

// FuzzBody compares what we read of a body with what the standard library reads.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"features":["v:f"],"entities":{"k":[1,"a",null]},"full_feature_names":false}`))
	f.Add([]byte(`{"feature_service":"s","entities":{},"project":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var b body
		if b.parse(text) != nil {
			return
		}
		var theirs map[string]json.RawMessage
		if err := json.Unmarshal(text, &theirs); err != nil {
			t.Fatalf("%q was read, though %v", text, err)
		}
		for _, entity := range b.Entities {
			for _, value := range entity.Values {
				if !json.Valid(value) {
					t.Errorf("%q gave the value %q", text, value)
				}
			}
		}
		_ = lookup.Request(b.Request)
	})
}

func TestMemoryThatGrewForOneHugeRequestIsNotKept(t *testing.T) {
	for what, grow := range map[string]func(*buffers){
		"body":     func(b *buffers) { b.body.Grow(maxPooled + 1) },
		"answer":   func(b *buffers) { b.out = make([]byte, 0, maxPooled+1) },
		"details":  func(b *buffers) { b.details = make([]byte, 0, maxPooled+1) },
		"values":   func(b *buffers) { b.request.values = make([][]byte, 0, maxPooledRefs+1) },
		"features": func(b *buffers) { b.request.Features = make([]string, 0, maxPooledRefs+1) },
	} {
		s := &Server{buffers: sync.Pool{New: func() any { return new(buffers) }}}
		huge := s.take()
		grow(huge)
		s.give(huge)
		if s.take() == huge {
			t.Errorf("a huge %s is kept for the next request", what)
		}
	}
}

func TestOfAMemberThatIsGivenTwiceTheLastCounts(t *testing.T) {
	var b body
	text := `{"features":["a:b"],"entities":{"k":[1,2]},"features":["c:d"],"entities":{"l":[3]},"project":"p","project":"q"}`
	if err := b.parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if len(b.Features) != 1 || b.Features[0] != "c:d" || len(b.Entities) != 1 || b.Entities[0].Name != "l" || b.Project != "q" {
		t.Errorf("read %+v", b.Request)
	}
}

func TestKeysWithoutEndAreRefusedBeforeTheyFillTheMemory(t *testing.T) {
	text := func(values int) []byte {
		return []byte(`{"entities":{"k":[1` + strings.Repeat(",1", values-1) + `]}}`)
	}
	var b body
	if err := b.parse(text(lookup.MaxKeyValues)); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	if err := b.parse(text(lookup.MaxKeyValues + 1)); err != lookup.ErrKeyValues {
		t.Errorf("one more: %v", err)
	}
	s := new(Server)
	s.give(&buffers{request: b})
	if kept := s.buffers.Get(); kept != nil {
		t.Error("the memory of a huge request is kept")
	}
}
