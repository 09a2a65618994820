package httpapi

import (
	"net/http"
	"strings"

	"freshline/serving/internal/bundle"
)

const projectHeader = "Freshline-Project"

// caller is who asks, as the bundle of that moment knows it. Without named there came no token.
type caller struct {
	bundle *bundle.Bundle
	token  bundle.Token
	named  bool
}

// caller tells who asks, or refuses who may look up nothing at all.
//
// Who sends a token must be right even where none is required: a revoked token, one without the scope
// lookup or a mistyped one would otherwise read more than the right one.
func (s *Server) caller(r *http.Request) (caller, error) {
	b := s.Bundles.Load()
	if b == nil {
		return caller{}, newProblem(codeNoBundle, "no contract bundle was loaded yet")
	}
	secret, named := bearer(r)
	if !named && s.AuthRequired {
		return caller{}, newProblem(codeUnauthenticated, "send a token with the scope lookup: Authorization: Bearer ...")
	}
	token, known := b.Token(secret, s.Now().UnixMicro())
	if named && !known {
		return caller{}, newProblem(codeUnauthenticated, "the token is none of scope lookup that is good now")
	}
	return caller{b, token, named}, nil
}

// authorize returns the project of the request, once its caller may look into it. asked is the
// project that the request itself names, which wins over the header.
//
// A project out of the token's reach is refused in the same words whether or not it exists.
func (s *Server) authorize(r *http.Request, asked string) (string, error) {
	caller, err := s.caller(r)
	if err != nil {
		return "", err
	}
	project := asked
	if project == "" {
		project = r.Header.Get(projectHeader)
	}
	if project == "" && caller.named {
		project = caller.token.OnlyProject()
	}
	if project == "" {
		project = caller.bundle.DefaultProject
	}
	if project == "" {
		return "", newProblem(codeBadValue, "no project: name one in the header %s", projectHeader)
	}
	if caller.named && !caller.token.Allows(project) {
		return "", newProblem(codeForbidden, "the token's scope lookup does not reach project %s", project)
	}
	return project, nil
}

// bearer returns the token that came with the request, and whether one came. An empty one is none: a
// shell that fills in a variable sends it where the variable is not set.
func bearer(r *http.Request) (string, bool) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	return secret, secret != "" && strings.EqualFold(scheme, "bearer")
}
