"""Circuit breakers: a run that would do something drastic is held before its first write."""

from dataclasses import dataclass

MIN_REFUSED_ROWS = 20
MIN_KEYS = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares from 0 to 1; None switches one off."""

    max_refused: float | None
    max_removed: float | None
    max_changed: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run is about to do. ``known`` is how many keys the view had before, without removed ones."""

    read: int
    refused: int
    removed: int
    changed: int
    known: int
    is_first: bool = False
    is_full: bool = False
    is_new_layout: bool = False

    @property
    def is_exempt(self) -> bool:
        """Runs that rewrite everything by their nature: that much changes says nothing."""
        return self.is_first or self.is_full or self.is_new_layout


def tripped(limits: Limits, outlook: Outlook) -> str | None:
    """Return the sentence that says which breaker holds the run; None lets it go on."""
    if (
        limits.max_refused is not None
        and outlook.refused >= MIN_REFUSED_ROWS
        and outlook.refused > limits.max_refused * outlook.read
    ):
        return _sentence("refused", outlook.refused, outlook.read, "rows", limits.max_refused)
    if (
        limits.max_removed is not None
        and outlook.known > MIN_KEYS
        and outlook.removed > limits.max_removed * outlook.known
    ):
        return _sentence("removed", outlook.removed, outlook.known, "keys", limits.max_removed)
    if outlook.is_exempt or limits.max_changed is None:
        return None
    if outlook.changed > limits.max_changed * max(outlook.known, 1):
        return _sentence("changed", outlook.changed, outlook.known, "keys", limits.max_changed)
    return None


def _sentence(what: str, count: int, total: int, unit: str, limit: float) -> str:
    return f"{count} of {total} {unit} would be {what}; max_{what} allows {limit:.4g} of them"
