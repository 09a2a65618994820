"""Generated lookups, as records for Python and as a case of the vectors for both languages."""

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st

from controlplane.contracts.bundle import BundleProject, BundleView, compile_bundle
from controlplane.contracts.model import (
    Action,
    DirectLane,
    Enforcement,
    Feature,
    FeatureRef,
    FeatureService,
    FeatureView,
    JoinKey,
    ServiceTerms,
    Terms,
)
from controlplane.contracts.verdicts import Lost, StoredRow, judge
from controlplane.kernel.dtypes import Dtype
from tests.contracts.strategies import actions, features, missing_actions, optional, values

NOW_US = 1_800_000_000_000_000
LANES = ("batch", "stream", "direct")
_WIDENED_FROM = {Dtype.INT64: Dtype.INT32, Dtype.FLOAT64: Dtype.FLOAT32}
_SECOND = 1_000_000
# Around every boundary that a rule names, and far from them.
_OFFSETS = st.sampled_from(
    [0, 1, -1, _SECOND, 5 * _SECOND, 5 * _SECOND + 1, 6 * _SECOND]
    + [-limit * _SECOND - beyond for limit in (1, 60, 3_600) for beyond in (-1, 0, 1)]
) | st.integers(-(10**14), 10**8)
instants = _OFFSETS.map(lambda offset: NOW_US + offset)
max_ages = st.sampled_from([1, 60, 3_600, 86_400]).map(lambda seconds: timedelta(seconds=seconds))


@dataclass(frozen=True)
class Lookup:
    features: tuple[Feature, ...]
    layouts: dict[int, dict[str, Dtype]]
    requested: list[str]
    rows: list
    layout_of: list  # the number of the layout of each row, None where there is no row
    view_terms: Terms
    service_terms: ServiceTerms = field(default_factory=ServiceTerms)
    watermarks: dict[str, int] = field(default_factory=dict)
    max_rejected: float = 1.0
    enforcement: Enforcement = Enforcement.ENFORCE
    terms: Terms | None = None

    def __post_init__(self):
        if self.terms is None:
            object.__setattr__(self, "terms", self.view_terms.under(self.service_terms))

    def judge(self, *, now_us=NOW_US, enforcement=None):
        return judge(
            self.rows,
            features={feature.name: feature for feature in self.features},
            requested=self.requested,
            terms=self.terms,
            watermarks=self.watermarks,
            now_us=now_us,
            max_rejected=self.max_rejected,
            enforcement=enforcement or self.enforcement,
        )

    def bundled(self):
        """The bundle that publishes the view, with one service ``s`` that asks for what is requested."""
        view = FeatureView(
            "v", ("e",), self.features, self.view_terms, enforcement=self.enforcement, direct=DirectLane()
        )
        columns = {
            number: [JoinKey(name, dtype) for name, dtype in layout.items()]
            for number, layout in self.layouts.items()
        }
        published = BundleView(1, 1, view, [JoinKey("key", Dtype.STRING)], max(self.layouts), columns)
        service = FeatureService(
            "s",
            tuple(FeatureRef("v", name) for name in self.requested),
            self.service_terms,
            self.max_rejected,
        )
        return compile_bundle(
            registry="00000000-0000-4000-8000-000000000000",
            number=1,
            default_project="p",
            projects={"p": BundleProject([published], [service])},
        )


def absent_rows(rejected, *, of, max_rejected):
    present = StoredRow(NOW_US, NOW_US, "direct", {"x": Dtype.BOOL}, {"x": True})
    rows = [None] * rejected + [present] * (of - rejected)
    terms = Terms(timedelta(minutes=1), on_missing=Action.REJECT)
    return Lookup(
        (Feature("x", Dtype.BOOL),),
        {1: {"x": Dtype.BOOL}},
        ["x"],
        rows,
        [1] * of,
        terms,
        max_rejected=max_rejected,
    )


@st.composite
def lookups(draw):
    """A view with two layouts, rows of every kind, and somebody's own terms."""
    names = [f"f{index}" for index in range(draw(st.integers(1, 4)))]
    declared = tuple(draw(features(name, has_default=True)) for name in names)
    current = {feature.name: feature.dtype for feature in declared}
    old = {
        name: draw(st.sampled_from([dtype, _WIDENED_FROM.get(dtype, dtype), Dtype.STRING]))
        for name, dtype in current.items()
        if draw(st.booleans())
    }
    layouts = {1: old, 2: current}
    rows, numbers = [], []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["row"] * 5 + ["absent", "unavailable", "corrupt", "tombstone"]))
        number = draw(st.sampled_from([1, 2, 2]))
        numbers.append(number)
        columns = layouts[number]
        stored = StoredRow(
            event_time_us=draw(instants),
            write_time_us=draw(instants),
            lane=draw(st.sampled_from(LANES)),
            columns=columns,
            values={}
            if kind == "tombstone"
            else {n: draw(_stored(current, n, d)) for n, d in columns.items()},
            held=draw(st.booleans()),
            tombstone=kind == "tombstone",
        )
        rows.append(
            {"absent": None, "unavailable": Lost.UNAVAILABLE, "corrupt": Lost.CORRUPT}.get(kind, stored)
        )
    retired = draw(st.sampled_from([[], [], ["gone"]]))
    return Lookup(
        features=declared,
        layouts=layouts,
        requested=draw(st.permutations(names)) + retired,
        rows=rows,
        layout_of=numbers,
        view_terms=Terms(draw(max_ages), None, draw(actions), draw(missing_actions), draw(actions)),
        service_terms=draw(
            st.just(ServiceTerms())
            | st.builds(
                ServiceTerms,
                optional(max_ages),
                optional(actions),
                optional(missing_actions),
                optional(actions),
            )
        ),
        watermarks=draw(st.dictionaries(st.sampled_from(LANES), instants)),
        max_rejected=draw(st.sampled_from([0.0, 0.05, 0.25, 1 / 3, 0.5, 1.0])),
        enforcement=draw(st.sampled_from(list(Enforcement))),
    )


def _stored(current, name, dtype):
    """Values of the column's type, often small ones, so that domains are met and missed."""
    assert name in current
    small = {
        Dtype.INT32: st.integers(-3, 3),
        Dtype.INT64: st.integers(-3, 3),
        Dtype.STRING: st.sampled_from(["", "a", "ab", "é", "N123"]),
    }
    return values(dtype) | small.get(dtype, values(dtype))
