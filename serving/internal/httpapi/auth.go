package httpapi

import (
	"net/http"

	"freshline/serving/internal/lookup"
)

const projectHeader = lookup.ProjectHeader

// known tells whether the caller may look up anything at all.
func (s *Server) known(r *http.Request) error {
	return s.Gate.Known(r.Header.Get("Authorization"))
}

// authorize returns the project of the request, once its caller may look into it. asked is the
// project that the request itself names, which wins over the header.
func (s *Server) authorize(r *http.Request, asked string) (string, error) {
	return s.Gate.Project(r.Header.Get("Authorization"), asked, r.Header.Get(projectHeader))
}
