"""Two projects alike in everything but their words, so that what leaks from one into the other has a name.

Everything of project ``flights`` says amber, everything of ``trains`` says zebra.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model

from controlplane.accounts import selectors
from controlplane.accounts.services import audit, teams, tokens
from controlplane.ingestion.domain.runs import RunError, RunState
from controlplane.ingestion.models import RefusedRow
from controlplane.ingestion.services import direct, heartbeats, runs
from controlplane.kernel import clock
from controlplane.observations.domain.report import parse
from controlplane.observations.services import reports
from controlplane.registry import selectors as registry
from controlplane.registry.services.applying import Author, apply_definition
from controlplane.registry.services.connections import create_connection
from lineage import services as lineage
from monitors.models import Channel, Incident, Monitor, TeamChannel
from monitors.services import channels, incidents, silences, upkeep
from store_adapters import Lane
from tests.lineage.story import dataset, run_event
from tests.monitors.story import breach, cause
from tests.observations.reports import minute, report, sampled

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE = timedelta(minutes=1)
MINUTES_SINCE_1970 = int(NOW.timestamp()) // 60
# Nothing listens on the discard port: what is sent there fails at once.
NOWHERE = "127.0.0.1:9"
CONNECTION_PASSWORD = "canary-connection-password"


@dataclass(frozen=True)
class Side:
    """One of the two projects; ``word`` is in every name that it has."""

    project: str
    word: str

    @property
    def view(self) -> str:
        return f"{self.word}_delays"

    @property
    def service(self) -> str:
        return f"{self.word}_ranker"

    @property
    def entity(self) -> str:
        return f"{self.word}_carrier"

    @property
    def source(self) -> str:
        return f"{self.word}_feed"

    @property
    def push_source(self) -> str:
        return f"{self.word}_scores"

    @property
    def team(self) -> str:
        return f"{self.word}_team"

    @property
    def value(self) -> str:
        """A value of a feature, which needs the scope lookup."""
        return f"value-canary-{self.word}"

    @property
    def secret(self) -> str:
        """Part of every address and key to which messages of this side go."""
        return f"secret-canary-{self.word}"


FLIGHTS, TRAINS = Side("flights", "amber"), Side("trains", "zebra")


def definition(side: Side) -> dict:
    """The definition file of a side."""
    return {
        "version": 1,
        "project": side.project,
        "entities": [entity(side)],
        "sources": [source(side), {"name": side.push_source, "kind": "push"}],
        "feature_views": [view(side)],
        "feature_services": [service(side)],
    }


def entity(side: Side) -> dict:
    return {"name": side.entity, "join_keys": [{"name": "carrier", "dtype": "string"}], "owner": side.team}


def source(side: Side) -> dict:
    return {
        "name": side.source,
        "kind": "parquet",
        "uri": f"data/{side.word}.parquet",
        "event_time": "time_hour",
    }


def view(side: Side) -> dict:
    return {
        "name": side.view,
        "entities": [side.entity],
        "owner": side.team,
        "tier": "gold",
        "features": [
            {"name": f"{side.word}_delay", "dtype": "float64", "min": -120, "max": 2880, "default": 0.0},
            {"name": f"{side.word}_tail", "dtype": "string", "max_length": 40, "default": "none"},
        ],
        "freshness": {"warn_after": "20m", "max_age": "45m"},
        "batch": {"source": side.source, "query": f"SELECT * FROM {side.source}", "schedule": "*/15 * * * *"},
        "direct": {"source": side.push_source},
    }


def service(side: Side) -> dict:
    return {
        "name": side.service,
        "owner": f"{side.word}_readers",
        "model": f"{side.word}-model@2026-11",
        "features": [f"{side.view}:{side.word}_delay", f"{side.view}:{side.word}_tail"],
        "max_age": "1h",
        "on_stale": "default",
    }


def row(side: Side, **changes) -> dict:
    return {"carrier": "UA", f"{side.word}_delay": 1.5, f"{side.word}_tail": side.value, **changes}


def event(side: Side, *, error: str | None = None) -> dict:
    """An outside job of the side that writes what its view reads."""
    return run_event(
        f"{side.word}_job",
        "FAIL" if error else "COMPLETE",
        NOW - timedelta(minutes=2),
        run_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{side.word} {error}")),
        inputs=[dataset(f"{side.word}_raw")],
        outputs=[dataset(side.view, namespace=f"freshline://{side.project}")],
        error=error,
    )


def observed(side: Side, *, sequence: int = 1) -> dict:
    names = {"project": side.project, "view": side.view, "service": side.service}
    seen = minute(
        minute=MINUTES_SINCE_1970,
        features={f"{side.word}_delay": {"fresh": 5, "null": 1, "stale": 2}},
        **names,
    )
    one = sampled(verdicts={f"{side.word}_delay": "stale"}, at_us=clock.to_us(NOW), **names)
    return report(seen, instance=f"{side.word}-1f", sequence=sequence, sampled=[one])


@dataclass(frozen=True)
class Things:
    """The numbers under which a side's things are found."""

    failed_run: int
    held_run: int
    queued_run: int
    refused_row: int
    monitor: int
    incident: int
    channel: int
    silence: int
    token: int


def build_side(side: Side, *, token_of: str) -> Things:
    """Make one of everything, as the product makes it."""
    apply_definition(
        side.project,
        definition(side),
        author=Author(f"{side.word}_author", may_create_projects=True),
        now=NOW,
    )
    failed, held, queued = (_run(side, state) for state in (RunState.FAILED, RunState.HELD, RunState.QUEUED))
    direct.write_rows(
        side.project,
        side.view,
        rows=[row(side), row(side, **{f"{side.word}_tail": f"{side.value} {'x' * 40}"})],
        deletes=[],
        received_at=NOW,
        now=NOW,
    )
    heartbeats.record_heartbeat(side.project, side.view, writer=f"{side.word}_writer", as_of=NOW, now=NOW)
    lineage.receive_event(event(side, error=f"{side.word} disk full"), now=NOW)
    lineage.sync_registry(now=NOW)
    lineage.project_pending(now=NOW)
    reports.record_report(parse(observed(side), now=NOW), now=NOW, retention=timedelta(days=14))
    upkeep.keep_in_step(now=NOW)
    channel = _channel(side)
    opened = breach(
        side.view,
        project=side.project,
        owner=side.team,
        causes=[cause(f"job:etl|{side.word}_job", reason=f"{side.word} disk full")],
    )
    incidents.note(opened.number, text=f"{side.word} note", actor=f"{side.word}_operator", now=NOW)
    made = tokens.create_token(
        selectors.principal_of_user(get_user_model().objects.get(username=token_of)),
        name=f"{side.word}_token",
        scopes=["read"],
        projects=[side.project],
        now=NOW,
    )
    audit.record(
        actor=f"{side.word}_actor",
        project=side.project,
        action="change",
        object_kind="feature_view",
        object_name=side.view,
        now=NOW,
    )
    return Things(
        failed_run=failed,
        held_run=held,
        queued_run=queued,
        refused_row=RefusedRow.objects.get(project=side.project).pk,
        monitor=Monitor.objects.filter(project=side.project).earliest("pk").pk,
        incident=Incident.objects.get(project=side.project).number,
        channel=channel.pk,
        silence=_silence(side),
        token=made.id,
    )


def build_connection() -> int:
    """Make a connection, which belongs to the whole installation."""
    url = f"redis://someone:{CONNECTION_PASSWORD}@{NOWHERE}/0"
    author = Author("root", may_create_projects=True)
    return create_connection(name="queue", kind="redis", url=url, hosts=[], author=author, now=NOW).pk


def _run(side: Side, state: RunState) -> int:
    run = runs.queue_run(registry.find_view(side.project, side.view), Lane.BATCH, now=NOW)
    if state is not RunState.QUEUED:
        claim = runs.claim_run(run.pk, worker=f"{side.word}_worker", now=NOW, lease=LEASE)
        assert claim is not None
        if state is RunState.FAILED:
            runs.fail_run(claim, RunError("bad_source", f"{side.word} is broken"), now=NOW)
        else:
            runs.move_run(claim, state, now=NOW, hold_reason=f"{side.word} looks odd")
    return run.pk


def _channel(side: Side) -> Channel:
    config = {"url": f"http://{NOWHERE}/services/T0/B0/{side.secret}"}
    made = channels.create_channel(
        name=f"{side.word}_chat",
        kind="slack_webhook",
        config=config,
        project=side.project,
        actor=f"{side.word}_admin",
        now=NOW,
    )
    teams.ensure_team(side.team, actor="test", now=NOW)
    TeamChannel.objects.create(team=side.team, channel_id=made.pk)
    return made


def _silence(side: Side) -> int:
    matchers = [
        {"label": "project", "op": "=", "value": side.project},
        {"label": "view", "op": "=", "value": f"{side.word}_other"},
    ]
    return silences.create_silence(
        matchers=matchers,
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
        reason=f"{side.word} works",
        actor=f"{side.word}_operator",
        now=NOW,
    ).pk
