"""Sealing: what goes in comes out, for the right context and with any of the keys, and not otherwise."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.errors import Unavailable
from controlplane.kernel.secrets import seal, unseal

OLD, NEW, FOREIGN = (bytes([n]) * 32 for n in (1, 2, 3))
CONTEXT = "connection:events"


@given(st.text(max_size=200), st.text(max_size=40))
def test_what_was_sealed_opens_again(text, context):
    assert unseal(seal(text, keys=[OLD], context=context), keys=[OLD], context=context) == text


def test_a_sealed_text_shows_nothing_and_is_never_the_same_twice():
    sealed = {seal("s3cret", keys=[OLD], context=CONTEXT) for _ in range(10)}
    assert len(sealed) == 10
    assert not any("s3cret" in text or not text.isascii() for text in sealed)


def test_the_first_key_seals_and_every_key_opens():
    before = seal("x", keys=[OLD], context=CONTEXT)
    after = seal("x", keys=[NEW, OLD], context=CONTEXT)
    assert unseal(before, keys=[NEW, OLD], context=CONTEXT) == "x"
    assert unseal(after, keys=[NEW], context=CONTEXT) == "x"
    with pytest.raises(Unavailable, match="connection:events"):
        unseal(after, keys=[OLD], context=CONTEXT)


def test_a_sealed_text_that_was_copied_elsewhere_does_not_open():
    sealed = seal("x", keys=[OLD], context=CONTEXT)
    with pytest.raises(Unavailable):
        unseal(sealed, keys=[OLD], context="connection:other")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_text_that_was_touched_anywhere_does_not_open(position, flip):
    data = bytearray(base64.b64decode(seal("s3cret", keys=[OLD], context=CONTEXT)[3:]))
    data[position % len(data)] ^= flip
    with pytest.raises(Unavailable):
        unseal("v1:" + base64.b64encode(data).decode(), keys=[OLD, FOREIGN], context=CONTEXT)


@pytest.mark.parametrize("text", ["", "v1:", "v1:AAAA", "v2:AAAA", "v1:!", "plain", "v1:" + "A" * 15])
def test_what_was_never_sealed_does_not_open(text):
    with pytest.raises(Unavailable):
        unseal(text, keys=[OLD], context=CONTEXT)
