"""Definition files come from people, and from people who mean harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.contracts.definition import join, load, parse
from controlplane.contracts.definition.loading import MAX_BYTES
from controlplane.kernel.errors import Refused
from tests.contracts.story import document

YAML = "application/yaml"
JSON = "application/json"
BILLION_LAUGHS = "\n".join(
    ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x: no", "no"),
        ("x: yes", "yes"),
        ("x: on", "on"),
        ("x: true", True),
        ("x: null", None),
        ("x: 'null'", "null"),
        ("x:", None),
        ("x: 12", 12),
        ("x: 012", 12),
        ("x: 0x1f", 31),
        ("x: 0o17", 15),
        ("x: 1e3", 1000.0),
        ("x: .5", 0.5),
        ("x: -.inf", float("-inf")),
        ("x: 12:30:00", "12:30:00"),
        ("x: 2026-11-01", "2026-11-01"),
        ("x: 2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("x: 1_000", "1_000"),
        ("<<: 5", 5),
    ],
)
def test_yaml_scalars_are_those_of_json(text, value):
    loaded = load(text, YAML)
    assert list(loaded.values()) == [value]
    assert type(next(iter(loaded.values()))) is type(value)


@pytest.mark.parametrize(
    ("text", "media_type", "code"),
    [
        ("a: 1\na: 2", YAML, "duplicate"),
        ("x: {a: 1, b: {c: 1, c: 2}}", YAML, "duplicate"),
        ('{"a": 1, "a": 2}', JSON, "duplicate"),
        ('{"x": [{"a": 1, "a": 1}]}', JSON, "duplicate"),
        (BILLION_LAUGHS, YAML, "too_large"),
        ("a: &a [*a]", YAML, "bad_json"),
        ("[" * 500 + "]" * 500, YAML, "bad_json"),
        ("[" * 100_000, JSON, "bad_json"),
        ("!!python/object/apply:os.system ['true']", YAML, "bad_json"),
        ("x: !!timestamp 2026-11-01", YAML, "bad_json"),
        ("x: !!binary aGk=", YAML, "bad_json"),
        ("1: a", YAML, "bad_json"),
        ("[a, b]: c", YAML, "bad_json"),
        ("a: b: c", YAML, "bad_json"),
        ("a: 1\n---\nb: 2", YAML, "bad_json"),
        ('{"a": NaN}', JSON, "bad_json"),
        ('{"a": ', JSON, "bad_json"),
        ("1" * 5_000, JSON, "bad_json"),
        ("x: " + "1" * 5_000, YAML, "bad_json"),
        (b"\xff\xfe", YAML, "bad_json"),
        (b'"\xff"', JSON, "bad_json"),
        (" " * (MAX_BYTES + 1), YAML, "too_large"),
        ("a: 1", "text/html", "unsupported_media_type"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_file_is_refused(text, media_type, code):
    with pytest.raises(Refused) as refused:
        load(text, media_type)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "media_type"), [("x: {a: 1, a: 2}", YAML), ('{"x": {"a": 1, "a": 2}}', JSON)]
)
def test_a_key_given_twice_is_named_as_the_path(text, media_type):
    with pytest.raises(Refused) as refused:
        load(text, media_type)
    assert [(error.path, error.code) for error in refused.value.errors] == [("a", "duplicate")]


@pytest.mark.parametrize("media_type", [YAML, JSON])
def test_the_path_of_a_key_can_be_sent_whatever_the_key(media_type):
    with pytest.raises(Refused) as refused:
        load('{"\\ud800": 1, "\\ud800": 2}', media_type)
    assert [error.path for error in refused.value.errors] == ["?"]


@pytest.mark.parametrize(("text", "media_type"), [("x: " + "1" * 5_000, YAML), ("1" * 5_000, JSON)])
def test_a_number_too_long_to_read_is_told_in_plain_words(text, media_type):
    with pytest.raises(Refused, match="digits") as refused:
        load(text, media_type)
    assert "sys." not in refused.value.detail


def test_a_few_aliases_are_fine():
    assert load("a: &x {k: 1}\nb: *x", YAML) == {"a": {"k": 1}, "b": {"k": 1}}


def test_an_alias_of_an_alias_is_fine():
    assert load("a: &x [1]\nb: &y [*x]\nc: [*y, *x]", YAML)["c"] == [[[1]], [1]]


def test_a_media_type_may_carry_parameters_and_a_file_a_mark():
    assert load(b"\xef\xbb\xbf{}", "Application/JSON; charset=utf-8") == {}


@given(st.text(max_size=200))
def test_garbage_is_refused_or_read_and_never_crashes(text):
    for media_type in (YAML, JSON):
        try:
            document = load(text, media_type)
            parse(document, project="p")
        except Refused as refused:
            assert refused.detail


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_document_is_parsed_or_refused_and_never_crashes(body):
    try:
        parse({**document(), "feature_views": [body]})
    except Refused as refused:
        assert refused.errors or refused.code in ("bad_value", "bad_json", "too_large")


def test_a_document_too_deep_is_refused():
    body = []
    for _ in range(500):
        body = [body]
    with pytest.raises(Refused, match="nested deeper"):
        parse(body)


class TestJoiningFiles:
    def test_lists_are_put_together(self):
        whole = document()
        parts = [
            {"version": 1, "project": "flights", key: whole[key]}
            for key in ("sources", "feature_views", "entities")
        ]
        parts.append({"feature_services": whole["feature_services"]})
        assert parse(join(parts)) == parse(whole)

    def test_two_lists_of_one_kind_follow_each_other(self):
        assert join([{"entities": [1]}, {"entities": [2]}]) == {"entities": [1, 2]}

    def test_files_of_two_projects_are_refused(self):
        with pytest.raises(Refused, match="do not agree on project"):
            join([{"project": "a"}, {"project": "b"}])

    def test_a_file_that_is_no_object_is_refused(self):
        with pytest.raises(Refused, match="must be an object"):
            join([[]])
