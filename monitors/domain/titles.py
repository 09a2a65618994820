"""What is wrong, as a clause: of a view, or of what one service gets of it."""

from collections.abc import Mapping

from lineage.domain import naming
from monitors.domain.incidents import FAMILY_WORDS, Family
from monitors.domain.words import plural

_SERVICE = f"{naming.Kind.SERVICE}:"
# A service may demand more than the view promises: then the view is well, and yet not for that service.
_NOT_ACCEPTED: Mapping[str, str] = {
    FAMILY_WORDS[Family.FRESHNESS]: "is older than it accepts",
    FAMILY_WORDS[Family.PRESENCE]: "misses more than it accepts",
    FAMILY_WORDS[Family.VALIDITY]: "violates more than it accepts",
}


def service_in(subject: str) -> str:
    """Return the service whose own terms are broken; "" where the promise of a view (or of none) is."""
    return naming.parse_id(subject).name if subject.startswith(_SERVICE) else ""


def clause(word: str, *, view: str, service: str) -> str:
    """Return ``v is stale``, or ``ranker: v is older than it accepts``; ``word``: one of FAMILY_WORDS."""
    if service and word in _NOT_ACCEPTED:
        return f"{service}: {view} {_NOT_ACCEPTED[word]}"
    return f"{view} is {word}"


def clause_of_many(word: str, *, view: str, service: str, views: int) -> str:
    """Return the same for a problem of several views; ``view`` is the first."""
    if views < 2:
        return clause(word, view=view, service=service)
    if service:
        return f"{clause(word, view=view, service=service)}, with {plural(views - 1, 'more view')}"
    return f"{plural(views, 'view')} {word}, {view} first"


def line(family: Family, *, view: str, subject: str, summary: str) -> str:
    """Return an incident in one line: whom or what it is about, and how bad it is."""
    service = service_in(subject)
    if service:
        return f"{clause(FAMILY_WORDS[family], view=view, service=service)}, {summary}"
    return f"{view or subject}: {summary}"
