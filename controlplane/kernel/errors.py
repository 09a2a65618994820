"""The one family of errors.

An error carries a stable ``code`` (listed in ``codes.CODES`` and in docs/reference/errors.md), a sentence
for a person, and, where several things are wrong at once, one ``FieldError`` for each of them.
Who speaks HTTP maps the class to a status (controlplane.rest.problems); nobody else needs to know.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from controlplane.kernel.codes import CODES


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong: where (``features[2].min``), a stable code, and a sentence."""

    path: str
    code: str
    message: str

    def __post_init__(self) -> None:
        assert self.code in CODES, f"undocumented error code {self.code!r}"


class FreshlineError(Exception):
    """Root of the family; raise one of its children."""

    def __init__(self, code: str, detail: str, *, errors: Iterable[FieldError] = ()) -> None:
        assert code in CODES, f"undocumented error code {code!r}"
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)


class Refused(FreshlineError):
    """The input is wrong; sending it again changes nothing."""


class NotFound(FreshlineError):
    """The thing does not exist, or the caller may not know that it does."""


class Conflict(FreshlineError):
    """The state of the thing does not allow this now."""


class Unavailable(FreshlineError):
    """Something that is needed does not answer; trying again later may help."""


class Unauthenticated(FreshlineError):
    """Nobody is signed in, or the token is unknown, expired or revoked."""


class Forbidden(FreshlineError):
    """The caller is known and lacks a scope or a role, which the message names."""


class TooMany(FreshlineError):
    """A limit on how often, how many or how large was met."""

    def __init__(self, code: str, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(code, detail)
        self.retry_after_seconds = retry_after_seconds
