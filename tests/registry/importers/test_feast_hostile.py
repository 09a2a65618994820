"""Whatever is sent as a registry is read or refused, and what is read is a definition that may be applied."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controlplane.cli.yaml_text import to_yaml
from controlplane.contracts import definition
from controlplane.kernel.errors import Refused
from controlplane.registry.importers import feast
from controlplane.registry.importers.feast import messages, reading
from tests.registry.importers.registry_bytes import (
    entity,
    file_source,
    mapping,
    message,
    number,
    push_source,
    registry,
    service,
    text,
    varint,
    view,
)

GOLDEN = Path(__file__).parents[2] / "golden"
RICH = (GOLDEN / "feast_registry_rich.db").read_bytes()
STOCK = (GOLDEN / "feast_registry_stock.db").read_bytes()
BAD_TEXT = text(3, b"\xff")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "it names no project", id="empty"),
        pytest.param(text(3, "1"), "it names no project", id="a registry of nothing"),
        pytest.param(STOCK[:-1], "ends too soon", id="cut"),
        pytest.param(b"SQLite format 3\0", "a SQLite database", id="a SQL registry"),
        pytest.param(b'{"project": "shop"}', "it is JSON", id="what registry-dump prints"),
        pytest.param(b"\x1f\x8b\x08", "compressed", id="gzip"),
        pytest.param(b"PK\x03\x04", "ZIP", id="zip"),
        pytest.param(b"project: shop\n", "no wire type", id="YAML"),
        pytest.param(text(3, "2"), "its schema has the version '2'; 1 is read", id="a later schema"),
        pytest.param(BAD_TEXT, "field 3 is no text", id="a text that is none"),
        pytest.param(number(17, 1), "field 17 is no text and no message", id="a number for a message"),
        pytest.param(message(6, message(1, text(8, "x"))), "field 8 is no number", id="a text for a number"),
        pytest.param(
            message(6, message(1, message(6, number(1, 2**62)))),
            "field 6 is no duration",
            id="an endless ttl",
        ),
        pytest.param(varint(0), "there is no field 0", id="no field"),
    ],
)
def test_what_is_no_registry_is_refused_with_the_reason(data, why):
    with pytest.raises(Refused, match="no registry file of Feast's that can be read") as refused:
        feast.read_registry(data)
    assert refused.value.code == "bad_registry" and why in refused.value.detail


def test_a_registry_is_read_up_to_a_size_and_a_number_of_fields(monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", len(STOCK) - 1)
    with pytest.raises(Refused, match="bytes; at most") as refused:
        feast.read_registry(STOCK)
    assert refused.value.code == "too_large"
    with pytest.raises(Refused, match="more than") as refused:
        messages.Message(number(1, 1) * 11, messages.Budget(10))
    assert refused.value.code == "too_large"


@given(st.binary(max_size=400))
@settings(max_examples=100)
def test_any_bytes_are_read_or_refused(data):
    _read_or_refuse(data)


@given(
    st.sampled_from([RICH, STOCK]),
    st.lists(st.tuples(st.integers(0, 25_000), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 25_000),
)
@settings(max_examples=40)
def test_a_damaged_registry_is_read_or_refused(data, damage, cut):
    damaged = bytearray(data)
    for at, byte in damage:
        damaged[at % len(damaged)] = byte
    _read_or_refuse(bytes(damaged[: cut or None]))


ODD_NAMES = ["customer", "event_time", "a__verdict", "__dummy", "Big", "", "x@y", "é", "a\0b", "n" * 64]
# Mostly right, so that whole views come through beside what is odd in them.
NAMES = st.sampled_from(["a", "b", "c", "d", "order", "select"] * 5 + ODD_NAMES)
TEXTS = st.sampled_from(["", "words", "at"] * 4 + ["\0", " ", "x" * 20_001, "'; --", 'a"b', "\u0085"])
TYPES = st.sampled_from([2, 4, 6, 18] * 4 + [-1, 0, 9, 20, 50])
COLUMNS = st.lists(st.tuples(NAMES, TYPES), max_size=4)
MAPS = st.dictionaries(NAMES, TEXTS, max_size=2)
SERVED_VIEWS = st.lists(NAMES, min_size=1, max_size=4)
ENTITIES = st.sampled_from([["customer"]] * 6 + [["customer", "order"], ["order"], ["Big"], []])


@st.composite
def sources(draw, field):
    """A Parquet file, or what need not make any sense."""
    kind = draw(st.sampled_from([1] * 8 + [0, 2, 3, 9, 13]))
    uri = draw(st.sampled_from(["data/x.parquet"] * 4 + ["", "s3://x/y", "a\0b", "/etc/passwd", "file://x"]))
    parts = [text(20, draw(NAMES)), number(1, kind), message(11, text(2, uri))]
    parts += [text(at, draw(TEXTS)) for at in (3, 4, 5, 23, 25)]
    return message(field, *parts, mapping(2, draw(MAPS)), mapping(24, draw(MAPS)))


@st.composite
def views(draw):
    more = [text(10, draw(TEXTS)), text(11, draw(TEXTS)), mapping(5, draw(MAPS))]
    more += draw(st.lists(st.one_of(sources(7), sources(9), st.just(push_source(9, "p"))), max_size=2))
    features = [*draw(COLUMNS), *draw(st.sampled_from([[("a", 4)], []]))]
    ttl = draw(st.one_of(st.integers(1, 10**6), st.integers(-(10**11), 10**11)))
    return view(draw(NAMES), *more, entities=draw(ENTITIES), features=features, ttl=ttl)


@st.composite
def registries(draw):
    keys = st.tuples(NAMES, NAMES, TYPES, TEXTS, TEXTS)
    entities = [
        entity(name, number(2, kind), text(3, said), text(10, owner), join_key=key)
        for name, key, kind, said, owner in draw(st.lists(keys, max_size=4))
    ]
    entities.append(entity("customer", text(10, draw(TEXTS))))
    services = [
        service(name, *of, features=features)
        for name, of, features in draw(
            st.lists(st.tuples(NAMES, SERVED_VIEWS, st.lists(NAMES, max_size=3)), max_size=3)
        )
    ]
    return registry(*entities, *draw(st.lists(views(), max_size=4)), *services)


@given(registries(), st.booleans())
@example(registry(entity("customer"), view("v", file_source(7, "", ""))), False)
@example(registry(entity("customer"), view("v", file_source(7, "s", "s.parquet", text(5, "\u0085")))), False)
@settings(max_examples=100)
def test_whatever_feast_holds_becomes_a_definition_that_is_right(data, foreign):
    whole = feast.read_registry(data)
    imported = feast.convert(whole, "shop", project="shop", store=None, is_written_by_feast=foreign)
    document = imported.definition.to_document()
    allowed = ["default"] if foreign else []
    assert definition.parse(document, foreign_stores=allowed) == imported.definition
    assert definition.load(to_yaml(document), "application/yaml") == document
    carried = {each.name for each in imported.definition.feature_views}
    told = {remark.name for remark in imported.left if remark.kind == "feature_view"}
    # Nothing disappears without a word.
    assert {each.name.replace("\0", "\ufffd") for each in whole.views} <= carried | told


def _read_or_refuse(data):
    try:
        whole = feast.read_registry(data)
    except Refused as refused:
        assert refused.code in ("bad_registry", "too_large")
        return
    for name in whole.project_names:
        imported = feast.convert(whole, name, project="shop", store=None, is_written_by_feast=False)
        definition.parse(imported.definition.to_document())
