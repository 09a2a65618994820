"""What the OpenAPI document says of access and errors, read from what the views declare."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from controlplane.accounts.domain import Access, Scope
from controlplane.rest.problems import CONTENT_TYPE

Json = dict[str, Any]

ACCESS = "x-freshline-access"
_TEXT: Json = {"type": "string"}
_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457. Programs may branch on `code`, never on the sentences.",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        **dict.fromkeys(("type", "title", "code", "detail", "request_id"), _TEXT),
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "code", "message"],
                "properties": dict.fromkeys(("path", "code", "message"), _TEXT),
            },
        },
    },
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer fl_...``; the requirement names the scope that the token must have."""

    target_class = "controlplane.accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> Json:
        scopes = ", ".join(f"`{scope.value}`" for scope in Scope)
        return {
            "type": "http",
            "scheme": "bearer",
            "description": f"A token has some of the scopes {scopes}.",
        }

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        access = access_of(auto_schema)
        return {self.name: [Scope(access.scope).value] if access else []}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of somebody signed in to the pages; writing needs the CSRF token as well."""

    target_class = "controlplane.accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> Json:
        return {"type": "apiKey", "in": "cookie", "name": "freshline_session"}


class AccessSchema(AutoSchema):
    """Adds to every operation what its caller needs, and the one shape of its errors."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Json | None:
        operation: Json | None = super().get_operation(*args, **kwargs)
        access = access_of(self)
        if operation is None or access is None:
            return operation
        needed = describe(access, path=self.path)
        operation[ACCESS] = needed
        sentence = (
            f"Needs the scope `{needed['scope']}` and the role `{needed['role']}` {_WHERE[needed['of']]}."
        )
        operation["description"] = f"{operation.get('description', '')}\n\n{sentence}".strip()
        operation["responses"]["default"] = self._problem()
        return operation

    def _problem(self) -> Json:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Problem", type=ResolvedComponent.SCHEMA, schema=_PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        return {"description": "What was wrong.", "content": {CONTENT_TYPE: {"schema": component.ref}}}


_WHERE = {
    "project": "in the project",
    "any": "in any project, or in that of the thing it is about",
    "installation": "of the whole installation",
}


def access_of(schema: AutoSchema) -> Access | None:
    """Return what the view declares for the method, or None when it declares nothing."""
    declared: dict[str, Access] = getattr(schema.view, "access", {})
    return declared.get(schema.method)


def describe(access: Access, *, path: str) -> dict[str, str]:
    """Return scope, role, and of what the role is: the project in the address, any, the installation."""
    of = "installation" if access.installation else "project" if "{project}" in path else "any"
    return {"scope": Scope(access.scope).value, "role": access.role.word, "of": of}
