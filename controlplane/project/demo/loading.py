"""Make the demo's project: definition, people, a token, channels, and its sources as they are by now."""

import hashlib
import os
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import transaction

from controlplane.accounts import selectors as accounts
from controlplane.accounts.domain import Role, Scope
from controlplane.accounts.services import teams, tokens
from controlplane.ingestion.services.runs import queue_run
from controlplane.kernel import clock
from controlplane.project.demo.data import DataSet
from controlplane.project.demo.definition import FILE, MEMBER_OF, PROJECT, TEAMS, read_definition
from controlplane.project.demo.places import Places
from controlplane.project.demo.receiving import ACTOR, make_channels
from controlplane.project.demo.returning import mute_the_return
from controlplane.project.demo.running import load_timeline
from controlplane.project.demo.stopping import stopped_sources
from controlplane.project.demo.writing import Writer
from controlplane.registry import selectors as registry
from controlplane.registry.services import applying
from store_adapters import Lane

LOGIN, PASSWORD = "demo", "demo-flights"  # printed at every start: the demo's data is no secret
_TOKEN_SCOPES = (Scope.READ, Scope.INGEST, Scope.LOOKUP, Scope.LINEAGE)
_SECRET_FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a person needs to look around."""

    login: str
    password: str
    project: str
    token_file: str
    messages_url: str
    stopped: str  # the sources that stand still, between commas
    pause: str  # what to know after a pause, or ""


def is_loaded(places: Places) -> bool:
    """Whether the demo was loaded into this home."""
    return places.token.exists()


def load(places: Places, dataset: DataSet) -> Welcome:
    """Load the demo, or bring it up to now; what stands is left as it is, changes of people included."""
    places.memory.mkdir(parents=True, exist_ok=True)
    pause = mute_the_return(places, now=clock.now())
    _write_sources(places, dataset)
    _apply_definition(places)
    _make_people()
    _make_token(places)
    make_channels(places, now=clock.now())
    return Welcome(
        login=LOGIN,
        password=PASSWORD,
        project=PROJECT,
        token_file=str(places.token),
        messages_url=f"http://127.0.0.1:{places.receiver_port.read_text().strip()}/",
        stopped=", ".join(sorted(stopped_sources(places))),
        pause=pause,
    )


def _write_sources(places: Places, dataset: DataSet) -> None:
    """Write each source as it is by now: after a pause the first run reads what is current."""
    writer = Writer(dataset, load_timeline(dataset, places), places)
    now, stopped = clock.now(), stopped_sources(places)
    if "weather" not in stopped:
        writer.write_weather(now)
    if "flights" not in stopped:
        writer.write_flights(now)
    writer.write_planes()
    places.departures.touch()


def _apply_definition(places: Places) -> None:
    """Apply the demo's definition once, and again when it has changed; not over changes of people."""
    document = read_definition()
    digest = hashlib.sha256(FILE.read_bytes()).hexdigest()
    if places.definition_digest.exists() and places.definition_digest.read_text() == digest:
        return
    author = applying.Author(name=ACTOR, may_create_projects=True)
    now = clock.now()
    applying.apply_definition(PROJECT, document, author=author, now=now)
    # Nobody wants to wait for the first minute of a schedule to see the first values.
    for record in registry.list_views(PROJECT):
        if record.view.batch is not None:
            queue_run(record, Lane.BATCH, now=now, requested_by=ACTOR)
    places.definition_digest.write_text(digest)


@transaction.atomic
def _make_people() -> None:
    if get_user_model().objects.filter(username=LOGIN).exists():
        return
    teams.create_user(username=LOGIN, password=PASSWORD)
    now = clock.now()
    for team in TEAMS:
        teams.ensure_team(team, actor=ACTOR, now=now)
        teams.set_role(team=team, project=PROJECT, role=Role.EDITOR, actor=ACTOR, now=now)
    for team in MEMBER_OF:
        teams.set_member(team=team, username=LOGIN, member=True, actor=ACTOR, now=now)


def _make_token(places: Places) -> None:
    """Make a token bound to the demo's project, unless there is one that works."""
    now = clock.now()
    kept = places.token.read_text().strip() if places.token.exists() else ""
    if kept and accounts.principal_of_token(tokens.digest_of(kept), now=now):
        return
    maker = accounts.principal_of_user(get_user_model().objects.get(username=LOGIN))
    made = tokens.create_token(
        maker, name="replay", scopes=_TOKEN_SCOPES, projects=[PROJECT], now=now, never_expires=True
    )
    places.token.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(places.token, flags, _SECRET_FILE_MODE), "w") as file:
        file.write(made.secret + "\n")
