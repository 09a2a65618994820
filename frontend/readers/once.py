"""What several readers of one page ask alike is asked once, and forgotten with the page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
_known: ContextVar[dict[object, object] | None] = ContextVar("known", default=None)


@contextmanager
def one_page() -> Iterator[None]:
    """Remember answers until the page is made; outside of this everything is asked anew."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def once(read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return ``read(...)``, from memory if this page has asked the same before."""
    known = _known.get()
    if known is None:
        return read(*args, **kwargs)
    question = (read, args, tuple(sorted(kwargs.items())))
    if question not in known:
        known[question] = read(*args, **kwargs)
    return cast(T, known[question])


def remember(answer: T, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
    """Keep for ``once`` what was read together with something else."""
    known = _known.get()
    if known is not None:
        known[read, args, tuple(sorted(kwargs.items()))] = answer
