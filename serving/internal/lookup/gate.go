package lookup

import (
	"strings"
	"time"

	"freshline/serving/internal/bundle"
)

// ProjectHeader names the project of a request that does not name one itself. gRPC's metadata calls
// it the same.
const ProjectHeader = "Freshline-Project"

// Gate decides who may look up, and in which project. It is safe for many goroutines.
type Gate struct {
	Bundles      *bundle.Holder
	AuthRequired bool
	Now          func() time.Time
}

// Known tells whether the caller may look up anything at all. authorization is the header of that name.
func (g *Gate) Known(authorization string) error {
	b := g.Bundles.Load()
	if b == nil {
		return failure(NoBundle, "", "no contract bundle was loaded yet")
	}
	if _, known := bearer(authorization, b, g.Now().UnixMicro()); !known && g.AuthRequired {
		return failure(Unauthenticated, "", "send a token with the scope lookup: Authorization: Bearer ...")
	}
	return nil
}

// Project returns the project of the request, once its caller may look into it. asked is the project
// that the request itself names, which wins over header, its ProjectHeader.
//
// A project out of the token's reach is refused in the same words whether or not it exists.
func (g *Gate) Project(authorization, asked, header string) (string, error) {
	if err := g.Known(authorization); err != nil {
		return "", err
	}
	b := g.Bundles.Load()
	token, known := bearer(authorization, b, g.Now().UnixMicro())
	project := asked
	if project == "" {
		project = header
	}
	if project == "" && known {
		project = token.OnlyProject()
	}
	if project == "" {
		project = b.DefaultProject
	}
	if project == "" {
		return "", failure(NoProject, "", "no project: name one in the header %s", ProjectHeader)
	}
	if known && !token.Allows(project) {
		return "", failure(Forbidden, project, "the token's scope lookup does not reach project %s", project)
	}
	return project, nil
}

func bearer(authorization string, b *bundle.Bundle, nowUS int64) (bundle.Token, bool) {
	scheme, secret, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return bundle.Token{}, false
	}
	return b.Token(strings.TrimSpace(secret), nowUS)
}
