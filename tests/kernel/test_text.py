"""What databases keep, and what stands for the rest."""

import json

from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.text import storable, storable_document, unstorable_paths, visible

# Python's text has every code point, halves of surrogate pairs as well.
ANY = st.text(st.characters())
DOCUMENTS = st.recursive(
    ANY | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
    max_leaves=12,
)


@given(ANY)
def test_what_can_be_kept_stays_and_the_rest_is_replaced(text):
    kept = storable(text)
    assert len(kept) == len(text)
    kept.encode()
    assert "\0" not in kept
    assert all(new in (old, "\ufffd") for old, new in zip(text, kept, strict=True))


@given(DOCUMENTS)
def test_a_document_is_touched_only_where_it_must_be(document):
    kept = storable_document(document)
    assert list(unstorable_paths(kept)) == []
    json.dumps(kept, ensure_ascii=False).encode()
    if not list(unstorable_paths(document)):
        assert kept is document


def test_what_nobody_sees_is_dropped_and_what_joins_letters_is_not():
    assert visible(" \x00a\x1bb\x85 ") == "ab"
    assert visible("two\nlines\tand a tab") == "two\nlines\tand a tab"
    family, space = "\U0001f468\u200d\U0001f469", "5\u00a0min"
    assert (visible(family), visible(space)) == (family, space)


def test_the_place_is_named():
    document = {"a": [{"b": "x"}, {"b": "\ud800"}], "c\0": 1}
    assert list(unstorable_paths(document)) == ["a[1].b", "c\ufffd"]
