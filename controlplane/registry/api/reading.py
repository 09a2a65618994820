"""What the modules of this API read from a request alike."""

from drf_spectacular.utils import OpenApiParameter

from controlplane.accounts.auth import ApiRequest, Scope, address_of
from controlplane.contracts import definition
from controlplane.kernel.errors import Refused
from controlplane.registry.services.applying import Author, Conditions
from controlplane.registry.services.objects import Expected

# A definition as DRF hands it on: bytes (TextParser), as YAML or JSON.
DEFINITION_BODIES = {
    "application/json": {"type": "object"},
    "application/yaml": {"type": "object"},
}
FORCE = [
    OpenApiParameter("force", bool, description="Let breaking changes pass; needs `reason`."),
    OpenApiParameter("reason", str, description="Why, for the audit log."),
]
RETIRE_ABSENT = OpenApiParameter(
    "retire_absent", bool, description="Retire what the file leaves out; else it stays as it is."
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that was read: else 412."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="`*`: only if there is none yet."
)


def read_document(request: ApiRequest) -> object:
    """Return the parsed definition in the body; ``Refused`` when it is neither YAML nor JSON."""
    data: object = request.data  # bytes, but an empty mapping when there is no body at all
    body = data if isinstance(data, bytes) else b""
    return definition.load(body, request.content_type or "")


def read_flag(request: ApiRequest, name: str) -> bool:
    """Return ``?name=true``; False when absent."""
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false"):
        raise Refused("bad_value", f"{name} is {text!r}: write true or false")
    return text == "true"


def read_conditions(request: ApiRequest) -> Conditions:
    """Return ``?force=``, ``?reason=`` and ``?plan=``."""
    return Conditions(
        force=read_flag(request, "force"),
        reason=request.query_params.get("reason", ""),
        plan=request.query_params.get("plan"),
    )


def read_author(request: ApiRequest, project: str) -> Author:
    """Return the caller as the author of a change in ``project``."""
    principal = request.principal
    return Author(
        name=principal.name,
        address=address_of(request),
        may_create_projects=principal.is_installation_admin and principal.may(Scope.ADMIN, project),
    )


def read_expected(request: ApiRequest) -> Expected:
    """Return what If-Match and If-None-Match say."""
    if_match = request.headers.get("If-Match")
    digests = None
    if if_match is not None:
        digests = frozenset(read_etags(if_match) - {"*"})
    if_none_match = request.headers.get("If-None-Match")
    if if_none_match is not None and if_none_match.strip() != "*":
        raise Refused("bad_value", "Here If-None-Match can only be *: change it only if there is none yet.")
    return Expected(digests=digests, is_absent=if_none_match is not None)


def read_etags(header: str) -> set[str]:
    """Return the tags of If-Match or If-None-Match, without quotes; weak ones count like strong ones."""
    return {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",") if tag.strip()}


def etag(digest: str) -> dict[str, str]:
    """Return the ETag header."""
    return {"ETag": f'"{digest}"'}
