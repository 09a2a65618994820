package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freshline/serving/internal/golden"
	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestTheGoldenBundleIsUnderstood(t *testing.T) {
	body := golden.Read(t, "bundle.json")
	b, err := Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Projects) == 0 || b.Number < 1 || b.Registry == "" {
		t.Errorf("read as %+v", b)
	}
	for _, project := range b.Projects {
		for _, view := range project.Views {
			if len(view.Layouts) == 0 || view.Layouts[view.Layout] == nil {
				t.Errorf("view %s has no current layout", view.Name)
			}
			for _, feature := range view.Features {
				if ref, ok := view.Find(feature.Name); !ok || ref.Feature().Name != feature.Name {
					t.Errorf("feature %s of %s is not found", feature.Name, view.Name)
				}
			}
		}
		for _, service := range project.Services {
			if len(service.Features) == 0 {
				t.Errorf("service %s reads nothing", service.Name)
			}
		}
	}
}

const terms = `"terms":{"max_age_us":100,"on_stale":"serve","on_missing":"null","on_invalid":"reject"}`

func documentOf(view, service string) []byte {
	return fmt.Appendf(nil, `{"format":1,"number":3,"registry":"r","default_project":"p","tokens":[],"projects":{"p":{"views":{"v":%s},"services":{"s":%s}}}}`, view, service)
}

func viewText(features string) string {
	return `{"id":1,"contract":2,"enforcement":"enforce","features":[` + features + `],"join_keys":[{"name":"k","dtype":"int64"}],"layout":1,` +
		`"layouts":{"1":[{"name":"x","dtype":"int64"}]},"retired_features":["gone"],` + terms + `}`
}

const plainService = `{"features":[["v","x"]],"max_rejected":1.0,"terms":{}}`

func TestACorruptBundleIsRefusedWithTheReason(t *testing.T) {
	good := `{"name":"x","dtype":"int64","nullable":true}`
	for _, test := range []struct{ name, body, says string }{
		{"no JSON", `{"format":1`, "unexpected end"},
		{"a format of tomorrow", `{"format":2,"registry":"r"}`, "format 2"},
		{"no registry", `{"format":1}`, "no registry"},
		{"a token that is no digest", `{"format":1,"registry":"r","tokens":[{"sha256":"ab"}]}`, "tokens[0]"},
		{"an unknown dtype", string(documentOf(viewText(`{"name":"x","dtype":"int65"}`), plainService)), `"int65" is no dtype`},
		{"a pattern that is none", string(documentOf(viewText(`{"name":"x","dtype":"string","pattern":"("}`), plainService)), "pattern"},
		{"a default of another type", string(documentOf(viewText(`{"name":"x","dtype":"int64","default":"a"}`), plainService)), "default"},
		{"a minimum that is no number", string(documentOf(viewText(`{"name":"x","dtype":"int64","min":"a"}`), plainService)), "min"},
		{"an unknown enforcement", strings.Replace(string(documentOf(viewText(good), plainService)), `"enforce"`, `"never"`, 1), "never"},
		{"a view without a max age", strings.Replace(string(documentOf(viewText(good), plainService)), `"max_age_us":100,`, "", 1), "max_age_us"},
		{"an unknown action", strings.Replace(string(documentOf(viewText(good), plainService)), `"reject"`, `"retry"`, 1), "retry"},
		{"serving what is missing", strings.Replace(string(documentOf(viewText(good), plainService)), `"on_missing":"null"`, `"on_missing":"serve"`, 1), "on_missing"},
		{"a layout number that is none", strings.Replace(string(documentOf(viewText(good), plainService)), `"1":[`, `"one":[`, 1), "one"},
		{"a float as join key", strings.Replace(string(documentOf(viewText(good), plainService)), `{"name":"k","dtype":"int64"}`, `{"name":"k","dtype":"float64"}`, 1), "join key"},
	} {
		_, err := Parse([]byte(test.body))
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(fmt.Sprint(err), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func parsed(t *testing.T, view, service string) *Project {
	t.Helper()
	b, err := Parse(documentOf(view, service))
	if err != nil {
		t.Fatal(err)
	}
	return b.Projects["p"]
}

func TestAServicesOwnTermsWinAndTheOthersAreTheViews(t *testing.T) {
	p := parsed(t, viewText(`{"name":"x","dtype":"int64","nullable":true}`),
		`{"features":[["v","x"],["v","gone"],["w","y"]],"max_rejected":0.25,"terms":{"max_age_us":7,"on_stale":"default"}}`)
	view, service := p.Views["v"], p.Services["s"]
	if got, want := service.TermsFor(view), (Terms{MaxAgeUS: 7, OnStale: Default, OnMissing: Null, OnInvalid: Reject}); got != want {
		t.Errorf("terms %+v, want %+v", got, want)
	}
	if got := (*Service)(nil).TermsFor(view); got != view.Terms {
		t.Errorf("without a service the terms are %+v", got)
	}
	if service.MaxRejected != 0.25 {
		t.Errorf("max_rejected is %v", service.MaxRejected)
	}
}

func TestWhatAServiceStillNamesButNobodyHasIsRetired(t *testing.T) {
	p := parsed(t, viewText(`{"name":"x","dtype":"int64","nullable":true}`),
		`{"features":[["v","x"],["v","gone"],["w","y"]],"max_rejected":1,"terms":{}}`)
	refs := p.Services["s"].Features
	if refs[0].Feature() == nil || refs[1].Feature() != nil || refs[2].Feature() != nil {
		t.Errorf("features are %v %v %v", refs[0].Feature(), refs[1].Feature(), refs[2].Feature())
	}
	if refs[1].View.Retired || !refs[2].View.Retired {
		t.Error("the wrong view is retired")
	}
	if _, ok := p.Views["v"].Find("gone"); !ok {
		t.Error("a retired feature that a service names cannot be asked for")
	}
	if _, ok := p.Views["v"].Find("never"); ok {
		t.Error("a feature that never was can be asked for")
	}
}

func TestTokens(t *testing.T) {
	hash := func(secret string) string {
		sum := sha256.Sum256([]byte(secret))
		return hex.EncodeToString(sum[:])
	}
	b, err := Parse(fmt.Appendf(nil, `{"format":1,"registry":"r","tokens":[{"sha256":%q,"projects":["a"],"expires_us":1000},{"sha256":%q,"projects":["*"],"expires_us":null}]}`,
		hash("one"), hash("all")))
	if err != nil {
		t.Fatal(err)
	}
	one, ok := b.Token("one", 999)
	if !ok || !one.Allows("a") || one.Allows("b") || one.OnlyProject() != "a" {
		t.Errorf("one: %+v %v", one, ok)
	}
	if _, ok := b.Token("one", 1000); ok {
		t.Error("an expired token is accepted")
	}
	all, ok := b.Token("all", 1<<60)
	if !ok || !all.Allows("b") || all.OnlyProject() != "" {
		t.Errorf("all: %+v %v", all, ok)
	}
	if _, ok := b.Token("", 0); ok {
		t.Error("an empty token is accepted")
	}
}

func TestABundleOnDiskIsReadBackOrRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home", "bundle")
	if _, err := ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	body := documentOf(viewText(`{"name":"x","dtype":"int64","nullable":true}`), plainService)
	for range 2 { // the second write replaces the first
		if err := WriteFile(path, body); err != nil {
			t.Fatal(err)
		}
	}
	b, err := ReadFile(path)
	if err != nil || b.Digest != Digest(body) || b.Number != 3 {
		t.Fatalf("read %+v (%v)", b, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
	whole, _ := os.ReadFile(path)
	for size := range whole {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("the first %d bytes: %v", size, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(documentOf(viewText(`{"name":"x","dtype":"int64","nullable":true,"min":1,"allowed":[1],"default":2}`), plainService))
	f.Add(documentOf(viewText(`{"name":"x","dtype":"list<string>","max_length":3,"pattern":"a","default":["a"]}`), plainService))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Parse(body)
		if err != nil {
			return
		}
		for _, project := range b.Projects {
			for _, service := range project.Services {
				for _, ref := range service.Features {
					service.TermsFor(ref.View)
					ref.Feature()
				}
			}
		}
	})
}
