"""Idempotency-Key on POSTs that create: the same key and body get the same answer, without doing it again."""

import functools
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.kernel import clock, processes
from controlplane.kernel.errors import Conflict, FreshlineError, Refused
from controlplane.rest.models import IdempotentAnswer
from controlplane.rest.problems import body as problem_body
from controlplane.rest.problems import status_of

KEPT = timedelta(hours=24)
# A holder that died leaves its row without an answer. Where its death shows, another may try at once: on the
# same machine. Elsewhere after this long.
ABANDONED = timedelta(seconds=60)
MAX_KEY = 200
# Refusals that say "not right now": the same request may be right a second later, so none of them is kept.
_PASSING = frozenset({"apply_in_progress", "purge_pending"})
# The same, of an answer that a handler gave by itself: Feast's, whose runs are still at work.
_NOT_NOW = 409
Handler = Callable[..., Response]
Work = Callable[[], None]


def when_answered(request: Request, work: Work) -> None:
    """Have ``work`` done in the transaction that keeps the answer: a request sent again does it once.

    For counts and the like, in handlers wrapped by ``idempotent``. Refusals that are kept count as answers.
    """
    request.when_answered.append(work)  # type: ignore[attr-defined]


def idempotent(handler: Handler) -> Handler:
    """Wrap an API view's ``post`` so that it honours Idempotency-Key. Without the header nothing changes.

    Fields that the view names in ``shown_once`` (secrets) are not kept: a repeated answer gives null there.
    """

    @functools.wraps(handler)
    def wrapper(view: Any, request: Request, /, *args: Any, **kwargs: Any) -> Response:
        request.when_answered = []  # type: ignore[attr-defined]
        key = request.headers.get("Idempotency-Key")
        if not key:
            return _run_unkept(request, functools.partial(handler, view, request, *args, **kwargs))
        if len(key) > MAX_KEY:
            raise Refused("bad_value", f"Idempotency-Key is longer than {MAX_KEY} characters")
        now = clock.now()
        request_digest = _digest(request.data)
        kept = _claim(_scope(view, request, key), request_digest, now=now)
        if kept.status is not None:
            return Response(kept.answer, status=kept.status, headers={"Idempotency-Replayed": "true"})
        # A second try of the same request must not get a second receipt time (ingestion: absent event times).
        request.received_at = kept.created_at  # type: ignore[attr-defined]
        return _run(kept, view, request, functools.partial(handler, view, request, *args, **kwargs))

    return wrapper


def sweep(*, now: datetime) -> int:
    """Delete answers older than 24 h; returns how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=now - KEPT).delete()[0]


def _run_unkept(request: Request, handle: Callable[[], Response]) -> Response:
    try:
        response = handle()
    except FreshlineError:
        _do_all(request)
        raise
    _do_all(request)
    return response


def _do_all(request: Request) -> None:
    with transaction.atomic():
        for work in request.when_answered:  # type: ignore[attr-defined]
            work()


def _run(kept: IdempotentAnswer, view: Any, request: Request, handle: Callable[[], Response]) -> Response:
    try:
        response = handle()
    except FreshlineError as refused:
        status = status_of(refused)
        if status >= 500 or status == 429 or refused.code in _PASSING:
            _release(kept)
        else:
            request_id = getattr(request, "request_id", "")
            answer = problem_body(
                status, refused.code, refused.detail, found=refused.errors, request_id=request_id
            )
            _keep(kept, request, status, answer)
        raise
    except BaseException:
        _release(kept)
        raise
    if response.status_code == _NOT_NOW:
        _release(kept)
        return response
    shown_once: frozenset[str] = getattr(view, "shown_once", frozenset())
    answer = response.data
    if shown_once:
        answer = {name: None if name in shown_once else value for name, value in answer.items()}
    _keep(kept, request, response.status_code, answer)
    return response


def _release(kept: IdempotentAnswer) -> None:
    """Let the next try in at once: trying again may help. The receipt time of the first one stays."""
    IdempotentAnswer.objects.filter(pk=kept.pk).update(claimed_at=kept.created_at - 2 * ABANDONED)


def _keep(kept: IdempotentAnswer, request: Request, status: int, answer: Any) -> None:
    """Keep the answer, unless the claim was taken for abandoned and another has answered meanwhile."""
    with transaction.atomic():
        if IdempotentAnswer.objects.filter(pk=kept.pk, status=None).update(status=status, answer=answer):
            _do_all(request)


def _claim(scope: str, body_digest: str, *, now: datetime) -> IdempotentAnswer:
    IdempotentAnswer.objects.filter(scope=scope, created_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(
                scope=scope,
                body_digest=body_digest,
                created_at=now,
                claimed_at=now,
                holder=processes.this_process(),
            )
    except IntegrityError:
        kept = IdempotentAnswer.objects.get(scope=scope)
    if kept.body_digest != body_digest:
        raise Refused("idempotency_key_reused", "This Idempotency-Key came before with another body.")
    if kept.status is None and not _take_over(kept, now=now):
        raise Conflict("idempotency_key_in_use", "The first request with this key is still at work.")
    return kept


def _take_over(kept: IdempotentAnswer, *, now: datetime) -> bool:
    """Take the claim of a holder that is gone, or was silent for long. Of many that try, one gets it."""
    if kept.claimed_at >= now - ABANDONED and not processes.is_gone(kept.holder):
        return False
    # As it was read: whoever took it meanwhile has written another time, or another name.
    unchanged = IdempotentAnswer.objects.filter(
        pk=kept.pk, status=None, claimed_at=kept.claimed_at, holder=kept.holder
    )
    return bool(unchanged.update(claimed_at=now, holder=processes.this_process()))


def _scope(view: Any, request: Request, key: str) -> str:
    caller = getattr(request, "principal", None)
    parts = [caller.identity if caller else "", request.method or "", request.path, key]
    if named := getattr(view, "project", ""):  # by a header: one address is of every project
        parts.append(named)
    return _digest("\0".join(parts))


def _digest(value: object) -> str:
    data = value if isinstance(value, bytes) else repr(value).encode()
    return hashlib.sha256(data).hexdigest()
