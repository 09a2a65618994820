"""One feature view: its health, its promise, its neighbours, how to use it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from frontend.minimap import MapNode

OPEN_STRIPS = 8
Series = tuple[float | None, ...]  # of a sparkline: oldest first, None where nothing is known


@dataclass(frozen=True, slots=True)
class HealthCell:
    """One cell of the health strip: word, value, the last 24 hours, where to read on.

    ``state`` is "" where a figure is told and nobody judges it; ``unit`` is that of ``series``.
    """

    key: str
    label: str
    state: str
    value: str
    note: str
    series: Series
    address: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """The banner of an open incident. ``cause`` is a phrase, empty when nobody knows.

    ``title``: what is wrong where the view's own state does not tell it.
    """

    number: int
    state: str
    health: str
    since: datetime
    cause: str
    consumers: int | None
    title: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    silenced_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AgeRow:
    """One row of the table that says the same as the chart."""

    at: datetime
    age: timedelta | None
    state: str


@dataclass(frozen=True, slots=True)
class FeatureStrip:
    """The states of one feature in each half hour from ``since`` on; None where nobody looked.

    ``state`` is that of the last half hour: a view that has just recovered is fresh before its features
    are. ``note`` says what share of the values was not as promised in it.
    """

    feature: str
    state: str
    cells: tuple[str | None, ...]
    since: datetime
    note: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing bad is known of it, in any half hour."""
        return {self.state, *self.cells} <= {"fresh", "no_data", "paused", None}


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who hears of this view: a channel, and for which severities."""

    channel: str
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that works as it stands when FRESHLINE_TOKEN is set."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The first tab."""

    figure: dict[str, Any] | None
    summary: str
    range: str
    points: tuple[AgeRow, ...]
    strips: tuple[FeatureStrip, ...]  # worst first
    features: int  # how many the view has; of many not all have a strip
    receivers: tuple[Receiver, ...]
    map_nodes: tuple[MapNode, ...]
    map_edges: tuple[tuple[str, str], ...]
    map_cause: tuple[str, ...]
    snippets: tuple[Snippet, ...]

    @property
    def shown_strips(self) -> tuple[FeatureStrip, ...]:
        """The strips that stand open: all that are not well, and some of the others."""
        return tuple(
            strip for index, strip in enumerate(self.strips) if index < OPEN_STRIPS or not strip.is_well
        )

    @property
    def folded_strips(self) -> tuple[FeatureStrip, ...]:
        """The others."""
        shown = self.shown_strips
        return tuple(strip for strip in self.strips if strip not in shown)


@dataclass(frozen=True, slots=True)
class Promise:
    """What the contract says of one feature, in words."""

    feature: str
    dtype: str
    nullable: bool
    allowed: str
    default: str
    on_stale: str
    on_missing: str
    on_invalid: str


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable contract. ``level`` compares with the version before: compatible, risky or breaking."""

    number: int
    created_at: datetime
    author: str
    level: str
    reasons: tuple[str, ...] = ()
    loaded_by: int | None = None
    serving_processes: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs between two contracts, in words."""

    subject: str
    before: str
    after: str
    level: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two contracts side by side; the texts are canonical YAML for the line by line view."""

    older: int
    newer: int
    differences: tuple[Difference, ...]
    unchanged: int
    older_text: str
    newer_text: str


@dataclass(frozen=True, slots=True)
class ContractTab:
    """The contract tab."""

    number: int
    max_age: timedelta | None
    warn_after: timedelta | None
    enforcement: str
    promises: tuple[Promise, ...]
    text: str
    versions: tuple[Version, ...]
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class ViewPage:
    """Everything on a view's page; the tabs that are not open are None."""

    project: str
    name: str
    node: str
    state: str
    since: datetime | None
    age: timedelta | None
    limit: timedelta | None
    entities: tuple[str, ...]
    join_keys: tuple[str, ...]
    owner: str
    description: str
    tier: str
    runbook: str
    tags: tuple[str, ...]
    lanes: tuple[str, ...]
    paused: bool
    cells: tuple[HealthCell, ...]
    incident: OpenIncident | None
    tab: str
    overview: Overview | None = None
    contract: ContractTab | None = None
    runs: tuple["RunRow", ...] | None = None
    may_operate: bool = False


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list. ``usual`` is the median time of this lane's last runs."""

    id: int
    view: str
    lane: str
    state: str
    trigger: str
    started_at: datetime | None
    took: timedelta | None
    usual: timedelta | None
    read: int | None
    changed: int | None
    written: int | None
    refused: int | None
    hollow: bool = False
    phase: str = ""
    worker: str = ""

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """What became of the rows that were read, for the proportional bar."""
        rest = max(0, (self.read or 0) - (self.changed or 0) - (self.refused or 0))
        return (("same", rest), ("changed", self.changed or 0), ("refused", self.refused or 0))
