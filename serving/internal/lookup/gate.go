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

// caller is who asks, as the bundle of that moment knows it. Without named there came no token.
type caller struct {
	bundle *bundle.Bundle
	token  bundle.Token
	named  bool
}

// Known tells whether the caller may look up anything at all. authorization is the header of that name.
func (g *Gate) Known(authorization string) error {
	_, err := g.caller(authorization)
	return err
}

// caller tells who asks, or refuses who may look up nothing at all.
//
// Who sends a token must be right even where none is required: a revoked token, one without the scope
// lookup or a mistyped one would otherwise read more than the right one.
func (g *Gate) caller(authorization string) (caller, error) {
	b := g.Bundles.Load()
	if b == nil {
		return caller{}, failure(NoBundle, "", "no contract bundle was loaded yet")
	}
	secret, named := bearer(authorization)
	if !named && g.AuthRequired {
		return caller{}, failure(Unauthenticated, "", "send a token with the scope lookup: Authorization: Bearer ...")
	}
	if !named {
		return caller{bundle: b}, nil
	}
	token, known := b.Token(secret, g.Now().UnixMicro())
	if !known {
		return caller{}, failure(Unauthenticated, "", "the token is none of scope lookup that is good now")
	}
	return caller{b, token, true}, nil
}

// Project returns the project of the request, once its caller may look into it. asked is the project
// that the request itself names, which wins over header, its ProjectHeader.
//
// A project out of the token's reach is refused in the same words whether or not it exists.
func (g *Gate) Project(authorization, asked, header string) (string, error) {
	caller, err := g.caller(authorization)
	if err != nil {
		return "", err
	}
	project := asked
	if project == "" {
		project = header
	}
	if project == "" && caller.named {
		project = caller.token.OnlyProject()
	}
	if project == "" {
		project = caller.bundle.DefaultProject
	}
	if project == "" {
		return "", failure(NoProject, "", "no project: name one in the header %s", ProjectHeader)
	}
	if caller.named && !caller.token.Allows(project) {
		return "", failure(Forbidden, project, "the token's scope lookup does not reach project %s", project)
	}
	return project, nil
}

// bearer returns the token that came with the request, and whether one came. An empty one is none: a
// shell that fills in a variable sends it where the variable is not set.
func bearer(authorization string) (string, bool) {
	scheme, secret, _ := strings.Cut(authorization, " ")
	secret = strings.TrimSpace(secret)
	return secret, secret != "" && strings.EqualFold(scheme, "bearer")
}
