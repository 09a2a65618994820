package httpapi

import (
	"net/http"
	"strings"

	"freshline/serving/internal/bundle"
)

const projectHeader = "Freshline-Project"

// known tells whether the caller may look up anything at all.
func (s *Server) known(r *http.Request) error {
	b := s.Bundles.Load()
	if b == nil {
		return newProblem(codeNoBundle, "no contract bundle was loaded yet")
	}
	if _, known := bearer(r, b, s.Now().UnixMicro()); !known && s.AuthRequired {
		return newProblem(codeUnauthenticated, "send a token with the scope lookup: Authorization: Bearer ...")
	}
	return nil
}

// authorize returns the project of the request, once its caller may look into it. asked is the
// project that the request itself names, which wins over the header.
//
// A project out of the token's reach is refused in the same words whether or not it exists.
func (s *Server) authorize(r *http.Request, asked string) (string, error) {
	if err := s.known(r); err != nil {
		return "", err
	}
	b := s.Bundles.Load()
	token, known := bearer(r, b, s.Now().UnixMicro())
	project := asked
	if project == "" {
		project = r.Header.Get(projectHeader)
	}
	if project == "" && known {
		project = token.OnlyProject()
	}
	if project == "" {
		project = b.DefaultProject
	}
	if project == "" {
		return "", newProblem(codeBadValue, "no project: name one in the header %s", projectHeader)
	}
	if known && !token.Allows(project) {
		return "", newProblem(codeForbidden, "the token's scope lookup does not reach project %s", project)
	}
	return project, nil
}

func bearer(r *http.Request, b *bundle.Bundle, nowUS int64) (bundle.Token, bool) {
	scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return bundle.Token{}, false
	}
	return b.Token(strings.TrimSpace(secret), nowUS)
}
