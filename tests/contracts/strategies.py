"""Generated values, features, views and whole definitions."""

from datetime import timedelta

from hypothesis import strategies as st

from controlplane.contracts.model import (
    Absent,
    Action,
    BatchLane,
    Definition,
    DeleteWhen,
    DirectLane,
    Enforcement,
    Entity,
    Feature,
    FeatureRef,
    FeatureService,
    FeatureView,
    JoinKey,
    LineageDataset,
    ServiceTerms,
    Source,
    SourceKind,
    StreamLane,
    Terms,
    Tier,
)
from controlplane.contracts.values import canonical_float
from controlplane.kernel.dtypes import KEY_DTYPES, Dtype

_SCALARS = {
    Dtype.INT32: st.integers(-(2**31), 2**31 - 1),
    Dtype.INT64: st.integers(-(2**63), 2**63 - 1),
    Dtype.TIMESTAMP: st.integers(-(2**63), 2**63 - 1),
    Dtype.FLOAT32: st.floats(width=32).map(lambda number: canonical_float(Dtype.FLOAT32, number)),
    Dtype.FLOAT64: st.floats().map(lambda number: canonical_float(Dtype.FLOAT64, number)),
    Dtype.BOOL: st.booleans(),
    Dtype.STRING: st.text(max_size=12),
    Dtype.BYTES: st.binary(max_size=12),
}
_FINITE = {
    Dtype.FLOAT32: st.floats(width=32, allow_nan=False, allow_infinity=False),
    Dtype.FLOAT64: st.floats(allow_nan=False, allow_infinity=False),
}
_RANGED = (Dtype.INT32, Dtype.INT64, Dtype.TIMESTAMP, Dtype.FLOAT32, Dtype.FLOAT64)
_PATTERNS = st.sampled_from(["[a-z]*", "a|ab", r"\pL+", "", "(?i)n[0-9]{1,5}", "."])
# What Postgres and YAML keep: no zero character, no surrogates.
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)

names = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: name != "event_time" and not name.endswith(("__verdict", "__age_us"))
)


def _spans(*, most=timedelta(days=3_650)):
    return st.integers(1, int(most.total_seconds())).map(lambda seconds: timedelta(seconds=seconds))


durations = _spans()
actions = st.sampled_from(list(Action))
missing_actions = st.sampled_from([Action.NULL, Action.DEFAULT, Action.REJECT])
shares = st.floats(0, 1).map(lambda share: canonical_float(Dtype.FLOAT64, share))


def values(dtype):
    """Canonical values of a dtype, null included."""
    return st.none() | present_values(dtype)


def present_values(dtype):
    scalars = _SCALARS[dtype.element]
    return st.lists(scalars, max_size=4) if dtype.is_list else scalars


def optional(strategy):
    return st.none() | strategy


def texts():
    return _TEXTS.map("t{}".format)


@st.composite
def features(draw, name, *, dtypes=tuple(Dtype), has_default=False):
    """A feature whose rules do not contradict each other."""
    dtype = draw(st.sampled_from(dtypes))
    element = dtype.element
    rules = {}
    if element in _RANGED:
        bounds = _FINITE.get(element, _SCALARS[element]).map(
            lambda bound: canonical_float(element, bound) if isinstance(bound, float) else bound
        )
        low, high = sorted([draw(bounds), draw(bounds)])
        rules |= {"minimum": draw(optional(st.just(low))), "maximum": draw(optional(st.just(high)))}
    if element in (Dtype.FLOAT32, Dtype.FLOAT64):
        rules |= {"allow_nan": draw(st.booleans()), "allow_inf": draw(st.booleans())}
    if element in (Dtype.INT32, Dtype.INT64, Dtype.STRING):
        allowed = st.lists(
            _TEXTS if element is Dtype.STRING else _SCALARS[element], min_size=1, max_size=3, unique=True
        )
        rules["allowed"] = draw(optional(allowed.map(tuple)))
    if element in (Dtype.STRING, Dtype.BYTES):
        rules["max_length"] = draw(optional(st.integers(0, 10)))
    if element is Dtype.STRING:
        rules["pattern"] = draw(optional(_PATTERNS))
    if dtype.is_list:
        rules["min_items"] = draw(optional(st.integers(0, 2)))
        rules["max_items"] = draw(optional(st.integers(2, 4)))
    defaults = present_values(dtype)
    if element is Dtype.STRING:
        defaults = st.lists(_TEXTS, max_size=3) if dtype.is_list else _TEXTS
    return Feature(
        name=name,
        dtype=dtype,
        nullable=draw(st.booleans()),
        default=draw(defaults if has_default else optional(defaults)),
        description=draw(_TEXTS.map(str.strip)),
        **rules,
    )


@st.composite
def view_terms(draw):
    max_age = draw(durations)
    return Terms(
        max_age=max_age,
        warn_after=draw(optional(_spans(most=max_age))),
        on_stale=draw(actions),
        on_missing=draw(missing_actions),
        on_invalid=draw(actions),
    )


service_terms = st.builds(
    ServiceTerms,
    max_age=optional(durations),
    on_stale=optional(actions),
    on_missing=optional(missing_actions),
    on_invalid=optional(actions),
)

SOURCES = (
    Source(
        "files",
        SourceKind.PARQUET,
        uri="data/*.parquet",
        event_time="at",
        max_idle="unlimited",
        order_by="seq",
    ),
    Source("table", SourceKind.SQL, connection="warehouse", table="gold.x", max_idle=timedelta(hours=2)),
    Source("lines", SourceKind.STREAM, uri="data/x.jsonl", lineage=LineageDataset("file", "/x")),
    Source("topic", SourceKind.STREAM, connection="events", topic="x", owner="ops", description="A topic."),
    Source("pushed", SourceKind.PUSH),
)


@st.composite
def views(draw, name, *, entities):
    feature_names = draw(st.lists(names.map("f_{}".format), min_size=1, max_size=4, unique=True))
    batch = st.builds(
        BatchLane,
        sources=st.sampled_from([("files",), ("files", "table"), ("table",)]),
        query=texts(),
        schedule=st.none(),
        timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
        grace=durations,
        absent=st.sampled_from(list(Absent)),
        max_refused=shares,
        max_removed=shares,
        max_changed=optional(shares),
        order_by=optional(texts()),
    )
    stream = st.builds(
        StreamLane,
        source=st.sampled_from(["lines", "topic"]),
        fields=st.dictionaries(st.sampled_from(feature_names), texts(), max_size=2),
        delete_when=optional(st.builds(DeleteWhen, texts(), _TEXTS | st.booleans() | st.integers())),
    )
    direct = st.builds(DirectLane, source=optional(st.just("pushed")), heartbeat=optional(durations))
    return FeatureView(
        name=name,
        entities=tuple(draw(st.lists(st.sampled_from(entities), min_size=1, max_size=2, unique=True))),
        features=tuple(draw(features(each, has_default=True)) for each in feature_names),
        terms=draw(view_terms()),
        owner=draw(optional(names)),
        description=draw(_TEXTS.map(str.strip)),
        tier=draw(st.sampled_from(list(Tier))),
        runbook=draw(st.sampled_from([None, "https://wiki/x"])),
        tags=draw(st.dictionaries(_TEXTS, texts(), max_size=2)),
        enforcement=draw(st.sampled_from(list(Enforcement))),
        expire_after=draw(optional(durations)),
        batch=draw(optional(batch)),
        stream=draw(optional(stream)),
        direct=draw(direct),
    )


@st.composite
def definitions(draw):
    """A whole project that parses."""
    entity_names = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    entities = tuple(
        Entity(
            name,
            join_keys=(JoinKey(f"k{index}_{name}", draw(st.sampled_from(sorted(KEY_DTYPES)))),),
            owner=draw(optional(names)),
            description=draw(_TEXTS.map(str.strip)),
        )
        for index, name in enumerate(entity_names)
    )
    view_names = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    declared = tuple(draw(views(name, entities=entity_names)) for name in view_names)
    refs = [FeatureRef(view.name, feature.name) for view in declared for feature in view.features]
    asked = st.lists(st.sampled_from(refs), min_size=1, max_size=4, unique=True).map(tuple)
    services = tuple(
        FeatureService(
            name,
            features=(features := draw(asked)),
            aliases={features[0].view: "alias_of_it"} if draw(st.booleans()) else {},
            terms=draw(service_terms),
            max_rejected=draw(shares),
            owner=draw(optional(names)),
            description=draw(_TEXTS.map(str.strip)),
            model=draw(optional(texts())),
            slo=draw(st.none() | st.just({"target": 99.5, "window": "28d"})),
        )
        for name in draw(st.lists(names, max_size=2, unique=True))
    )
    return Definition(draw(names), entities, SOURCES, declared, services)
