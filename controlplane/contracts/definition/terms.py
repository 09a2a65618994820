"""Terms of views and services in a definition file."""

from datetime import timedelta

from controlplane.contracts.definition.reading import Fields
from controlplane.contracts.model import Action, ServiceTerms, Terms
from controlplane.kernel.durations import render

# There is nothing to serve of a value that is missing.
_ALLOWED: dict[str, tuple[Action, ...]] = {
    "on_stale": tuple(Action),
    "on_missing": (Action.NULL, Action.DEFAULT, Action.REJECT),
    "on_invalid": tuple(Action),
}


def read_terms(fields: Fields) -> Terms:
    """Read a view's ``freshness`` and actions."""
    max_age, warn_after = _read_freshness(fields)
    defaults = Terms(max_age=max_age)
    return Terms(
        max_age=max_age,
        warn_after=warn_after,
        on_stale=_read_action(fields, "on_stale") or defaults.on_stale,
        on_missing=_read_action(fields, "on_missing") or defaults.on_missing,
        on_invalid=_read_action(fields, "on_invalid") or defaults.on_invalid,
    )


def read_service_terms(fields: Fields) -> ServiceTerms:
    return ServiceTerms(
        max_age=fields.optional_duration("max_age"),
        on_stale=_read_action(fields, "on_stale"),
        on_missing=_read_action(fields, "on_missing"),
        on_invalid=_read_action(fields, "on_invalid"),
    )


def _read_freshness(parent: Fields) -> tuple[timedelta, timedelta | None]:
    if not parent.has("freshness"):
        parent.missing("freshness", "an object with max_age, as {max_age: 45m}")
        return timedelta.max, None
    fields = parent.child("freshness", what="freshness")
    warn_after = fields.optional_duration("warn_after")
    max_age = fields.optional_duration("max_age")
    if not fields.has("max_age"):
        fields.missing("max_age", "a duration, as 45m")
    if warn_after is not None and max_age is not None and warn_after > max_age:
        fields.wrong(
            "warn_after",
            f"warn_after {render(warn_after)} is above max_age {render(max_age)}: it could never warn first",
            code="unsatisfiable",
        )
    fields.done()
    # A placeholder after a problem, and one that starts no others.
    return max_age or timedelta.max, warn_after


def _read_action(fields: Fields, name: str) -> Action | None:
    """Return the action; YAML's bare ``null`` means the action of that name."""
    if fields.says(name) and fields.raw(name) is None:
        return Action.NULL
    return fields.choice(name, _ALLOWED[name])
