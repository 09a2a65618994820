"""Which local files a source may name: only those under the allowed folders, symlinks resolved."""

import pytest

from controlplane.kernel.errors import Refused
from controlplane.kernel.source_roots import check_location, find_files


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "data"
    (root / "sub").mkdir(parents=True)
    for name in ("a.parquet", "b.parquet", "sub/c.parquet"):
        (root / name).write_text("x")
    (tmp_path / "secret.parquet").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "d.parquet").write_text("x")
    return tmp_path


def names(place, uri, *roots):
    allowed = [place / root for root in roots or ("data",)]
    return [str(path.relative_to(place)) for path in find_files(uri, allowed)]


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("a.parquet", ["data/a.parquet"]),
        ("data/a.parquet", ["data/a.parquet"]),
        ("*.parquet", ["data/a.parquet", "data/b.parquet"]),
        ("data/**/*.parquet", ["data/a.parquet", "data/b.parquet", "data/sub/c.parquet"]),
        ("sub/../a.parquet", ["data/a.parquet"]),
    ],
)
def test_a_relative_path_or_pattern_is_found_below_a_root(place, uri, found):
    assert names(place, uri) == found


def test_an_absolute_path_and_a_file_address_are_found_below_a_root(place):
    assert names(place, f"{place}/data/a.parquet") == ["data/a.parquet"]
    assert names(place, f"file://{place}/data/a.parquet") == ["data/a.parquet"]


def test_the_first_root_that_has_it_wins(place):
    assert names(place, "d.parquet", "data", "other") == ["other/d.parquet"]


@pytest.mark.parametrize(
    "uri",
    [
        "/etc/passwd",
        "../secret.parquet",
        "data/../../secret.parquet",
        "sub/../../secret.parquet",
        "*/../../secret.parquet",
        "",
        "a\0b",
        "s3://bucket/x.parquet",
        "http://127.0.0.1/x.parquet",
    ],
)
def test_what_lies_outside_is_refused_whether_or_not_it_is_there(place, uri):
    for ask in (check_location, find_files):
        with pytest.raises(Refused) as refused:
            ask(uri, [place / "data"])
        assert refused.value.code == "source_outside_roots"


def test_an_absolute_path_outside_is_refused_although_its_name_begins_alike(place):
    (place / "data-old").mkdir()
    (place / "data-old" / "a.parquet").write_text("x")
    with pytest.raises(Refused):
        find_files(f"{place}/data-old/a.parquet", [place / "data"])


@pytest.mark.parametrize("link", ["file", "folder", "pattern"])
def test_a_link_that_leads_out_is_refused(place, link):
    if link == "folder":
        (place / "data" / "out").symlink_to(place / "other")
        uri = "out/d.parquet"
    else:
        (place / "data" / "out.parquet").symlink_to(place / "secret.parquet")
        uri = "out.parquet" if link == "file" else "out*.parquet"
    with pytest.raises(Refused) as refused:
        find_files(uri, [place / "data"])
    assert refused.value.code == "source_outside_roots"


def test_a_link_between_roots_is_followed(place):
    (place / "data" / "in.parquet").symlink_to(place / "other" / "d.parquet")
    assert names(place, "in.parquet", "data", "other") == ["other/d.parquet"]


def test_a_root_that_is_a_link_is_a_root(place):
    (place / "linked").symlink_to(place / "data")
    assert names(place, "a.parquet", "linked") == ["data/a.parquet"]


@pytest.mark.parametrize("uri", ["none.parquet", "none-*.parquet", "sub"])
def test_what_is_not_there_is_missing(place, uri):
    check_location(uri, [place / "data"])
    with pytest.raises(Refused) as refused:
        find_files(uri, [place / "data"])
    assert refused.value.code == "source_missing"
