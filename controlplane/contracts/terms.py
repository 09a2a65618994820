"""The terms of a contract: how old a value may be, and what happens when a value breaks it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from controlplane.contracts.documents import Document, present
from controlplane.kernel import durations


class Action(StrEnum):
    """What serving does with a value that its contract does not cover, weakest first."""

    SERVE = "serve"
    NULL = "null"
    DEFAULT = "default"
    REJECT = "reject"

    @property
    def strength(self) -> int:
        return _STRENGTHS[self]


_STRENGTHS = {action: strength for strength, action in enumerate(Action)}


class Enforcement(StrEnum):
    ENFORCE = "enforce"
    OBSERVE = "observe"


class Tier(StrEnum):
    """How much a view matters: severity and routing of its incidents."""

    GOLD = "gold"
    SILVER = "silver"
    BRONZE = "bronze"


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    """What a feature service demands itself; None leaves the term to the view."""

    max_age: timedelta | None = None
    on_stale: Action | None = None
    on_missing: Action | None = None
    on_invalid: Action | None = None

    def to_document(self) -> Document:
        return present(
            max_age=self.max_age and durations.render(self.max_age),
            on_stale=self.on_stale and self.on_stale.value,
            on_missing=self.on_missing and self.on_missing.value,
            on_invalid=self.on_invalid and self.on_invalid.value,
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a view promises about age, and what happens on each violation."""

    max_age: timedelta
    warn_after: timedelta | None = None
    on_stale: Action = Action.SERVE
    on_missing: Action = Action.NULL
    on_invalid: Action = Action.NULL

    def under(self, service: ServiceTerms | None) -> "Terms":
        """Return the terms in force for a service: each its own where it names one, else the view's."""
        if service is None:
            return self
        return Terms(
            max_age=service.max_age or self.max_age,
            warn_after=self.warn_after,
            on_stale=service.on_stale or self.on_stale,
            on_missing=service.on_missing or self.on_missing,
            on_invalid=service.on_invalid or self.on_invalid,
        )

    def to_document(self) -> Document:
        freshness = present(
            warn_after=self.warn_after and durations.render(self.warn_after),
            max_age=durations.render(self.max_age),
        )
        return {
            "freshness": freshness,
            "on_stale": self.on_stale.value,
            "on_missing": self.on_missing.value,
            "on_invalid": self.on_invalid.value,
        }
