"""JSON, strictly: what is read twice the same, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel import strict_json

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(DOCUMENTS)
def test_what_json_writes_is_read(document):
    assert strict_json.read(json.dumps(document)) == document


@pytest.mark.parametrize("text", ["NaN", '{"x": Infinity}', "[-Infinity]"])
def test_numbers_that_json_does_not_know_are_refused_with_how_to_write_them(text):
    with pytest.raises(ValueError, match="write it as a string"):
        strict_json.read(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [('{"a": 1, "a": 1}', "a"), ('[{"b": {"c": 1, "d": 2, "c": 3}}]', "c"), ('{"": 1, "x": 2, "": 3}', "")],
)
def test_a_key_given_twice_is_named(text, key):
    with pytest.raises(strict_json.TwinKey) as refused:
        strict_json.read(text)
    assert refused.value.key == key


def test_a_number_too_long_to_read_is_said_in_plain_words():
    with pytest.raises(strict_json.NotJson, match=r"^a number has more than 4,300 digits$"):
        strict_json.read("[" + "1" * 5_000 + "]")


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "1" * 5_000])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        strict_json.read(text)
