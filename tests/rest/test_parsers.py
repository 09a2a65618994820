"""Bodies that a client may get wrong."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.errors import Refused
from controlplane.rest.parsers import parse_json, read_body


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a": 1, "a": 2}', "'a' is given twice"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"a": ', "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_body_is_refused_with_what_is_wrong(data, says):
    with pytest.raises(Refused, match=says):
        parse_json(data)


def test_a_gzip_bomb_is_refused_before_it_is_inflated(settings):
    settings.FRESHLINE_BODY_LIMIT_MB = 1
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(Refused) as refused:
        read_body(io.BytesIO(bomb), encoding="gzip")
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_an_encoding_that_we_do_not_read_is_named(encoding):
    with pytest.raises(Refused, match=encoding) as refused:
        read_body(io.BytesIO(b"{}"), encoding=encoding)
    assert refused.value.code == "unsupported_media_type"


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_a_body_that_is_not_encoded_is_read_as_it_is(encoding):
    assert read_body(io.BytesIO(b"{}"), encoding=encoding) == b"{}"


def test_a_cut_gzip_body_is_refused():
    with pytest.raises(Refused, match="too early"):
        read_body(io.BytesIO(gzip.compress(b"x" * 1000)[:-9]), encoding="gzip")


@given(st.binary(max_size=200))
def test_gzip_reads_back_what_was_written(data):
    assert read_body(io.BytesIO(gzip.compress(data)), encoding="gzip") == data


@given(st.binary(max_size=64))
def test_garbage_is_refused_and_never_crashes(data):
    try:
        parse_json(data)
    except Refused as refused:
        assert refused.code == "bad_json"
