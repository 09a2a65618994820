"""Who hears of an incident: the default channels of the owning team."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitors.domain.incidents import Severity

# The team whose channels stand in for a team that has none.
EVERYONE = "*"


class ChannelKind(StrEnum):
    """How a channel is spoken to."""

    SLACK_WEBHOOK = "slack_webhook"
    PAGERDUTY = "pagerduty"


class Purpose(StrEnum):
    """A pager wakes somebody; a chat is read by day."""

    PAGER = "pager"
    CHAT = "chat"


PURPOSES: Mapping[ChannelKind, Purpose] = {
    ChannelKind.SLACK_WEBHOOK: Purpose.CHAT,
    ChannelKind.PAGERDUTY: Purpose.PAGER,
}
HEARD_BY: Mapping[Severity, frozenset[Purpose]] = {
    Severity.CRITICAL: frozenset({Purpose.PAGER, Purpose.CHAT}),
    Severity.WARNING: frozenset({Purpose.CHAT}),
    Severity.INFO: frozenset({Purpose.CHAT}),
}


@dataclass(frozen=True, slots=True)
class DefaultChannel:
    """A channel that a team made its default. ``project``: the only one it serves, or "" for all."""

    channel: int
    kind: ChannelKind
    team: str
    project: str


def recipients(
    defaults: Iterable[DefaultChannel], *, owner: str, project: str, severity: Severity
) -> tuple[int, ...]:
    """Return the channels that hear of an incident of ``owner`` in ``project``, each once, by id."""
    usable = [one for one in defaults if one.project in ("", project)]
    mine = [one for one in usable if one.team == owner] or [one for one in usable if one.team == EVERYONE]
    heard = HEARD_BY[severity]
    return tuple(sorted({one.channel for one in mine if PURPOSES[one.kind] in heard}))
