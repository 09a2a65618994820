"""What a message says: what, how bad, since when, the cause, who is hit. Channels only dress it."""

from dataclasses import dataclass, field
from datetime import datetime

from monitors.domain import titles
from monitors.domain.incidents import Severity
from monitors.domain.notifications import Action
from monitors.domain.words import plural, spell_age

SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class CauseText:
    """The cause as people read it."""

    node: str
    run: str | None
    reason: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that a message about an incident may say.

    ``how_bad``: one sentence with the measured value, its limit and the ratio. ``views``: the view itself and
    those of the children. ``service``: whose own terms are broken, "" for the view's promise. ``note``: who
    acknowledged, why it resolved, what it was merged into.
    """

    number: int
    dedup_key: str
    action: Action
    project: str
    view: str
    subject: str
    kind: str
    word: str
    severity: Severity
    owner: str
    how_bad: str
    opened_at: datetime
    now: datetime
    link: str
    views: tuple[str, ...] = ()
    cause: CauseText | None = None
    services: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    lookups_per_minute: float | None = None
    runbook: str = ""
    note: str = ""
    root_number: int | None = None
    service: str = ""
    values: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"INC-{self.number}"


def headline(story: Story) -> str:
    """Return one line that stands alone, also on a phone's lock screen."""
    return f"{story.name} {_HEADLINES[story.action](story)}"


def what(story: Story) -> str:
    """Return what is wrong, as a clause: ``flights/delays is stale``."""
    return titles.clause_of_many(
        story.word, view=_where(story), service=story.service, views=len(story.views)
    )


def _where(story: Story) -> str:
    return f"{story.project}/{story.view}" if story.view else story.subject


def cause_sentence(story: Story) -> str:
    """Return the cause, or that none is known."""
    cause = story.cause
    if cause is None:
        return "No cause found upstream yet."
    run = f" (run {cause.run})" if cause.run else ""
    sure = "" if cause.is_sure else " Not sure: one timestamp speaks for it."
    return f"{cause.node}{run}: {cause.reason}.{sure}"


def hit_sentence(story: Story) -> str:
    """Return who is affected."""
    if not story.services and not story.models:
        return "No feature service reads this."
    parts = [f"{plural(len(story.services), 'service')}: {names(story.services)}"]
    if story.models:
        parts.append(f"{plural(len(story.models), 'model')}: {names(story.models)}")
    if story.lookups_per_minute is not None:
        parts.append(f"{story.lookups_per_minute:.0f} lookups/min")
    return "; ".join(parts)


def names(found: tuple[str, ...]) -> str:
    """Return names as a list that stays short."""
    shown = ", ".join(found[:SHOWN_NAMES])
    left = len(found) - SHOWN_NAMES
    return f"{shown} and {left} more" if left > 0 else shown


def lasted(story: Story) -> str:
    """Return how long it has been going on."""
    return spell_age(max(0.0, (story.now - story.opened_at).total_seconds()))


def _triggered(story: Story) -> str:
    because = f": {story.cause.node}: {story.cause.reason}" if story.cause and story.cause.is_sure else ""
    return f"[{story.severity}] {what(story)}{because}"


def _acknowledged(story: Story) -> str:
    return f"acknowledged: {what(story)}" + (f" ({story.note})" if story.note else "")


def _updated(story: Story) -> str:
    return f"cause found: {cause_sentence(story)}" if story.cause else f"updated: {what(story)}"


def _resolved(story: Story) -> str:
    where = f"{story.service}: {_where(story)}" if story.service else _where(story)
    return f"resolved after {lasted(story)}: {where}" + (f" ({story.note})" if story.note else "")


def _brief(story: Story) -> str:
    return f"opened and resolved within {lasted(story)}: {what(story)}"


def _linked(story: Story) -> str:
    return f"{what(story)}; it belongs to INC-{story.root_number}"


_HEADLINES = {
    Action.TRIGGER: _triggered,
    Action.ACKNOWLEDGE: _acknowledged,
    Action.UPDATE: _updated,
    Action.RESOLVE: _resolved,
    Action.BRIEF: _brief,
    Action.LINKED: _linked,
}
