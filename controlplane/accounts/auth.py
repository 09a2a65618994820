"""The gate in front of every API view, and who is signed in on a page."""

from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from controlplane.accounts import selectors
from controlplane.accounts.domain import Access, Principal, Role, Scope

__all__ = ["Access", "ApiRequest", "ApiView", "Principal", "Role", "Scope", "address_of", "principal_of"]


class ApiRequest(Request):
    """What the methods of an ``ApiView`` get: a request whose caller is known."""

    principal: Principal


class ApiView(APIView):
    """Base of every API view: declares, by method, what the caller needs.

    ``makes_project``: the methods for which the project of the address need not exist yet.
    """

    access: ClassVar[dict[str, Access]] = {}
    makes_project: ClassVar[frozenset[str]] = frozenset()
    rate_limited: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        request.principal = request.auth  # type: ignore[attr-defined]


def principal_of(request: HttpRequest) -> Principal | None:
    """Return who is signed in on a page, or None."""
    return selectors.principal_of_user(request.user) if request.user.is_authenticated else None


def address_of(request: HttpRequest | Request) -> str:
    """Return the caller's network address, for audit entries."""
    return str(request.META.get("REMOTE_ADDR", ""))
