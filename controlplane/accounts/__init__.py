"""Teams, roles, tokens, audit."""
