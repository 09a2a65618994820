"""Who calls (token or session), and whether they may."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from rest_framework import authentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from controlplane.accounts import selectors
from controlplane.accounts.domain import Access, Principal, refusal
from controlplane.accounts.services import tokens
from controlplane.kernel import clock
from controlplane.kernel.errors import TooMany, Unauthenticated

# Writing last_used_at on every request would make every read a write.
_USE_RECORDED_EVERY = timedelta(minutes=1)
_WINDOW_SECONDS = 60


class PeopleBackend(ModelBackend):
    """Django's own, but who has a session comes with what their teams give them: every page needs both."""

    def get_user(self, user_id: int) -> Any:
        return selectors.find_person(user_id)


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer fl_...``."""

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        principal = selectors.principal_of_token(tokens.digest_of(secret.strip()), now=clock.now())
        if principal is None:
            raise Unauthenticated("unauthenticated", "The token is unknown, expired or revoked.")
        _note_use(principal, request)
        return None, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="freshline"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of the web UI, with CSRF protection."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found = super().authenticate(request)
        return (found[0], selectors.principal_of_user(found[0])) if found else None


class AccessPermission(BasePermission):
    """Holds the caller against the ``access`` of the view; a method that declares none is closed."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, Principal):
            raise Unauthenticated("unauthenticated", "Sign in, or send a token: Authorization: Bearer fl_...")
        declared: dict[str, Access] = getattr(view, "access", {})
        access = declared.get("GET" if request.method == "HEAD" else request.method or "")
        if access is None:
            view.http_method_not_allowed(request)
            return False
        refused = refusal(request.auth, access, project=view.kwargs.get("project"))
        if refused is not None:
            raise refused
        if getattr(view, "rate_limited", True):
            _count(request.auth)
        return True


def _note_use(principal: Principal, request: Request) -> None:
    if principal.token_id is not None and cache.add(
        f"used:{principal.identity}", 1, timeout=_USE_RECORDED_EVERY.total_seconds()
    ):
        tokens.note_use(principal.token_id, now=clock.now(), address=str(request.META.get("REMOTE_ADDR", "")))


def _count(principal: Principal) -> None:
    """Refuse more than FRESHLINE_RATE_LIMIT requests a minute, counted in each web process by itself."""
    window = clock.now_us() // (_WINDOW_SECONDS * 1_000_000)
    key = f"rate:{principal.identity}:{window}"
    cache.add(key, 0, timeout=2 * _WINDOW_SECONDS)
    if cache.incr(key) > settings.FRESHLINE_RATE_LIMIT:
        raise TooMany(
            "rate_limited",
            f"Over {settings.FRESHLINE_RATE_LIMIT} requests a minute.",
            retry_after_seconds=_WINDOW_SECONDS - clock.now_us() // 1_000_000 % _WINDOW_SECONDS,
        )
