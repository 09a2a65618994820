"""Channels, whose defaults they are, and silences."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from controlplane.accounts import selectors as accounts
from controlplane.accounts.auth import Principal, Role
from frontend.records.settings import ChannelRow, ChannelsPage, SentTest, SilenceRow
from monitors.channels.kinds import CHANNELS
from monitors.domain.routing import EVERYONE, ChannelKind, DefaultChannel
from monitors.selectors.channels import channels_for, default_channels, unreached_views
from monitors.selectors.incidents import open_roots
from monitors.selectors.silences import covered, silences_for
from monitors.services.channels import TestResult

MOST_SILENCES = 50
Pairs = tuple[tuple[str, str], ...]
# (kind, its name, what its secret is)
KINDS: tuple[tuple[str, str, str], ...] = (
    (ChannelKind.SLACK_WEBHOOK.value, "Slack webhook", "The address of an incoming webhook"),
    (ChannelKind.PAGERDUTY.value, "PagerDuty", "The routing key of an Events v2 integration"),
)
_NAMES: Mapping[str, str] = {kind: name for kind, name, _ in KINDS}
EVERYONE_ELSE = "teams without a channel"
# The beginning of what came back, and what to do about it; the first that fits.
_ADVICE = (
    (
        "HTTP 400",
        "The receiver does not accept it: look at its answer, and whether the key is right.",
    ),
    ("HTTP 403", "The receiver forbids it: the webhook was restricted or removed. Make a new one."),
    ("HTTP 404", "The webhook was revoked: make a new one and save it here."),
    ("HTTP 410", "The channel behind it is archived: make a webhook for another one."),
    ("HTTP 429", "The receiver asks for a pause: try again in a minute."),
    ("HTTP 5", "The receiver is in trouble itself: try again later. Real messages are repeated for a day."),
    ("HTTP 3", "The receiver redirects, and redirects are not followed: save the address it leads to."),
)
_NO_ANSWER = "Nothing answered as expected: check the address, and whether this machine may reach it."


def read_channels(
    principal: Principal,
    *,
    now: datetime,
    form: Pairs = (),
    errors: Pairs = (),
    test: SentTest | None = None,
    editing: int | None = None,
) -> ChannelsPage:
    """Return the channels and silences that the person may know of."""
    projects = principal.readable_projects()
    defaults = default_channels()
    rows = _channel_rows(principal, defaults)
    silences, more = _silence_rows(principal, now=now)
    everything = principal.is_installation_admin
    return ChannelsPage(
        channels=rows,
        silences=silences,
        more_silences=more,
        unreachable_views=unreached_views(projects, defaults),
        form=form,
        errors=errors,
        test=test,
        teams=(*_team_names(), EVERYONE) if everything else (),
        may_administer=(principal.highest_role() or 0) >= Role.ADMIN,
        may_serve_all=everything,
        projects=() if everything else _projects_of(principal, Role.ADMIN),
        silenced_projects=() if everything else _projects_of(principal, Role.OPERATOR),
        editing=next((row for row in rows if row.id == editing and row.may_edit), None),
    )


def told_test(name: str, result: TestResult) -> SentTest:
    """Return what came of a test message, with what to do about it."""
    advice = next((text for start, text in _ADVICE if result.reason.startswith(start)), _NO_ANSWER)
    return SentTest(
        channel=name,
        ok=result.ok,
        status="delivered" if result.ok else result.reason,
        took=timedelta(milliseconds=result.elapsed_ms),
        advice="Look whether it arrived." if result.ok else advice,
        payload=json.dumps(result.sent, indent=1, ensure_ascii=False),
    )


def secret_field(kind: str) -> str:
    """Return what the secret of a kind is called in its config."""
    return CHANNELS[ChannelKind(kind)].hinted


def _channel_rows(principal: Principal, defaults: Iterable[DefaultChannel]) -> tuple[ChannelRow, ...]:
    teams: dict[int, list[str]] = defaultdict(list)
    for one in defaults:
        teams[one.channel].append(one.team)
    rows = channels_for(principal.readable_projects()).select_related("fallback").order_by("name")
    return tuple(
        ChannelRow(
            id=row.pk,
            name=row.name,
            kind=_NAMES.get(row.kind, row.kind),
            target=row.hint,
            used_by=tuple(sorted(teams[row.pk])),
            state=_state(row.broken_at is not None or bool(row.last_error), row.last_sent_at),
            last_delivery_at=row.last_sent_at,
            last_delivery=row.last_error,
            fallback=row.fallback.name if row.fallback else "",
            project=row.project,
            may_edit=_may_administer(principal, row.project),
        )
        for row in rows
    )


def _state(is_broken: bool, last_sent_at: datetime | None) -> str:
    if is_broken:
        return "failing"
    return "delivered" if last_sent_at else "untested"


def _silence_rows(principal: Principal, *, now: datetime) -> tuple[tuple[SilenceRow, ...], bool]:
    projects = principal.readable_projects()
    rows = list(silences_for(projects).filter(ends_at__gt=now).order_by("ends_at")[: MOST_SILENCES + 1])
    roots = open_roots(projects) if rows else []
    shown = tuple(
        SilenceRow(
            id=row.pk,
            matches=", ".join(f"{m['label']} {m['op']} {m['value']}" for m in row.matchers),
            author=row.author,
            reason=row.reason,
            ends_at=row.ends_at,
            starts_at=row.starts_at if row.starts_at > now else None,
            matching_now=covered(row, roots, at=now),
            may_end=_may(principal, row.project, Role.OPERATOR),
        )
        for row in rows[:MOST_SILENCES]
    )
    return shown, len(rows) > MOST_SILENCES


def _may_administer(principal: Principal, project: str) -> bool:
    return _may(principal, project, Role.ADMIN)


def _may(principal: Principal, project: str, role: Role) -> bool:
    """Whether the person holds ``role`` there; "" is the installation, its administrators' alone."""
    if not project:
        return principal.is_installation_admin
    return (principal.role_in(project) or 0) >= role


def _projects_of(principal: Principal, role: Role) -> tuple[str, ...]:
    return tuple(sorted(name for name in principal.roles if (principal.role_in(name) or 0) >= role))


def _team_names() -> tuple[str, ...]:
    return tuple(accounts.teams().prefetch_related(None).order_by("name").values_list("name", flat=True))
