"""Access to things whose project is in the row, not in the URL."""

from controlplane.accounts.auth import Access, Principal, Role, Scope
from controlplane.accounts.domain import refusal
from controlplane.kernel.errors import FreshlineError, NotFound

READ = Access(Scope.READ)
OPERATE = Access(Scope.OPERATE, Role.OPERATOR)
ADMINISTER = Access(Scope.ADMIN, Role.ADMIN)
INSTALLATION = Access(Scope.ADMIN, Role.ADMIN, installation=True)


def require(principal: Principal, access: Access, project: str, *, what: str) -> None:
    """Raise unless the caller may do that in ``project``; a foreign project's thing does not exist.

    "" is the whole installation: everybody may read it, only its administrators change it.
    """
    found: FreshlineError | None
    if project:
        found = refusal(principal, access, project=project)
    elif access is READ:
        found = None
    else:
        found = refusal(principal, INSTALLATION, project=None)
    if isinstance(found, NotFound):
        raise NotFound("not_found", f"There is no {what}, or you may not know of it.")
    if found is not None:
        raise found
