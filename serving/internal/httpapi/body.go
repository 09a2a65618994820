//lint:file-ignore ST1005 these errors are answers in Feast's own words

package httpapi

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"freshline/serving/internal/jsonscan"
	"freshline/serving/internal/lookup"
)

const (
	timeoutHeader = "X-Request-Timeout-Ms"
	maxTimeout    = time.Minute
	maxPooled     = 4 << 20 // bytes; buffers that grew beyond this are left to the collector
	maxPooledRefs = 1 << 17 // values and names that a body was read into
)

var errRequired = errors.New("Field required")

// buffers is the memory of one request: its body, its answer, and what the body was read into.
type buffers struct {
	body    bytes.Buffer
	out     []byte
	details []byte
	request body
}

// body is a lookup as it came in. Its entity values point into the body's bytes.
type body struct {
	lookup.Request
	versions  bool // Feast's include_feature_view_version_metadata
	fromFeast bool // it came to Feast's endpoint
	values    [][]byte
}

func (s *Server) take() *buffers { return s.buffers.Get().(*buffers) }

func (s *Server) give(b *buffers) {
	bytes := max(b.body.Cap(), cap(b.out), cap(b.details))
	refs := cap(b.request.values) + cap(b.request.Features) + cap(b.request.Entities)
	if bytes <= maxPooled && refs <= maxPooledRefs {
		clear(b.request.Entities)
		s.buffers.Put(b)
	}
}

// read reads and parses the body of a lookup.
func (s *Server) read(w http.ResponseWriter, r *http.Request, b *buffers) error {
	b.body.Reset()
	if _, err := b.body.ReadFrom(http.MaxBytesReader(w, r.Body, int64(s.MaxBodyBytes))); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return newProblem(codeTooLarge, "the body is larger than %d bytes", s.MaxBodyBytes)
		}
		return newProblem(codeBadJSON, "the body did not arrive whole: %s", err)
	}
	if err := b.request.parse(b.body.Bytes()); err != nil {
		return err
	}
	timeout, err := requestTimeout(r)
	b.request.Timeout = timeout
	return err
}

func requestTimeout(r *http.Request) (time.Duration, error) {
	text := r.Header.Get(timeoutHeader)
	if text == "" {
		return 0, nil
	}
	ms, err := strconv.Atoi(text)
	if err != nil || ms < 1 {
		return 0, newProblem(codeBadValue, "%s: %q is no whole number of milliseconds above 0", timeoutHeader, text)
	}
	return min(time.Duration(ms)*time.Millisecond, maxTimeout), nil
}

// parse reads the text of a body. It keeps the memory of the last one; unknown members are ignored.
func (b *body) parse(text []byte) error {
	b.Request = lookup.Request{Features: b.Features[:0], Entities: b.Entities[:0], AsFeast: b.fromFeast}
	b.versions, b.values = false, b.values[:0]
	scanner := jsonscan.New(text)
	if err := scanner.Open('{'); err != nil {
		return &bodyError{"", noObject(text, err)}
	}
	seen := false
	for read := 0; ; read++ {
		more, err := scanner.More('}', read)
		if err != nil {
			return &bodyError{"", err}
		}
		if !more {
			break
		}
		name, err := scanner.Key()
		if err != nil {
			return &bodyError{"", err}
		}
		seen = seen || name == "entities"
		err = b.member(&scanner, name)
		if errors.Is(err, lookup.ErrKeyValues) {
			return lookup.ErrKeyValues
		}
		if err != nil {
			return &bodyError{name, err}
		}
	}
	if err := scanner.End(); err != nil {
		return &bodyError{"", err}
	}
	if !seen {
		return &bodyError{"entities", errRequired}
	}
	return nil
}

// noObject says what a body is that does not begin as an object does.
func noObject(text []byte, syntax error) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errRequired
	}
	scanner := jsonscan.New(text)
	if _, err := scanner.Value(); err != nil || scanner.End() != nil {
		return syntax
	}
	return errNoObject
}

func (b *body) member(scanner *jsonscan.Scanner, name string) (err error) {
	switch name {
	case "entities":
		return b.entities(scanner)
	case "features":
		return b.features(scanner)
	case "feature_service":
		b.Service, err = optionalText(scanner)
	case "project":
		b.Project, err = optionalText(scanner)
	case "full_feature_names":
		b.FullNames, err = truth(scanner)
	case "include_feature_view_version_metadata":
		b.versions, err = truth(scanner)
	default:
		_, err = scanner.Value()
	}
	return err
}

var (
	errNoText   = errors.New("Input should be a valid string")
	errNoTruth  = errors.New("Input should be a valid boolean, unable to interpret input")
	errNoList   = errors.New("Input should be a valid list")
	errNoDict   = errors.New("Input should be a valid dictionary")
	errNoObject = errors.New("Input should be a valid dictionary or object to extract fields from")
)

func optionalText(scanner *jsonscan.Scanner) (string, error) {
	raw, err := scanner.Value()
	if err != nil || string(raw) == "null" {
		return "", err
	}
	text, err := jsonscan.Text(raw)
	if err != nil {
		return "", errNoText
	}
	return text, nil
}

func truth(scanner *jsonscan.Scanner) (bool, error) {
	raw, err := scanner.Value()
	if err != nil {
		return false, err
	}
	switch strings.ToLower(string(raw)) { // whatever pydantic takes for one
	case "true", "1", `"true"`, `"1"`, `"yes"`, `"on"`, `"t"`, `"y"`:
		return true, nil
	case "false", "null", "0", `"false"`, `"0"`, `"no"`, `"off"`, `"f"`, `"n"`:
		return false, nil
	}
	return false, errNoTruth
}

func (b *body) features(scanner *jsonscan.Scanner) error {
	b.Features = b.Features[:0] // of a member that is given twice the last counts, as JSON readers have it
	if scanner.Null() {
		return nil
	}
	if scanner.Open('[') != nil {
		return errNoList
	}
	for read := 0; ; read++ {
		more, err := scanner.More(']', read)
		if err != nil || !more {
			return err
		}
		raw, err := scanner.Value()
		if err != nil {
			return err
		}
		text, err := jsonscan.Text(raw)
		if err != nil {
			return &within{read, errNoText}
		}
		b.Features = append(b.Features, text)
	}
}

func (b *body) entities(scanner *jsonscan.Scanner) error {
	b.Entities, b.values = b.Entities[:0], b.values[:0]
	if scanner.Open('{') != nil {
		return errNoDict
	}
	for read := 0; ; read++ {
		more, err := scanner.More('}', read)
		if err != nil || !more {
			return err
		}
		name, err := scanner.Key()
		if err != nil {
			return err
		}
		from := len(b.values)
		if err := b.column(scanner); err != nil {
			return &within{name, err}
		}
		// Growing values leaves earlier columns on the old array, whose content stays as it is.
		b.Entities = append(b.Entities, lookup.EntityColumn{Name: name, Values: b.values[from:len(b.values):len(b.values)]})
	}
}

func (b *body) column(scanner *jsonscan.Scanner) error {
	if scanner.Open('[') != nil {
		return errNoList
	}
	for read := 0; ; read++ {
		more, err := scanner.More(']', read)
		if err != nil || !more {
			return err
		}
		raw, err := scanner.Value()
		if err != nil {
			return err
		}
		if len(b.values) == lookup.MaxKeyValues {
			return lookup.ErrKeyValues
		}
		b.values = append(b.values, raw)
	}
}
