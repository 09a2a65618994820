"""The OpenLineage dataset of a source, by the standard's naming."""

import pytest

from controlplane.contracts.model import LineageDataset, Source, SourceKind
from controlplane.contracts.naming import dataset_of

PARQUET, SQL, STREAM, PUSH = SourceKind.PARQUET, SourceKind.SQL, SourceKind.STREAM, SourceKind.PUSH


@pytest.mark.parametrize(
    ("source", "url", "namespace", "name"),
    [
        (Source("s", PARQUET, uri="data/x.parquet"), None, "file", "/srv/data/x.parquet"),
        (Source("s", PARQUET, uri="../x.parquet"), None, "file", "/x.parquet"),
        (Source("s", PARQUET, uri="/lake/x.parquet"), None, "file", "/lake/x.parquet"),
        (Source("s", PARQUET, uri="file:///lake/x.parquet"), None, "file", "/lake/x.parquet"),
        (Source("s", PARQUET, uri="/lake/x/year=*/*.parquet"), None, "file", "/lake/x"),
        (Source("s", PARQUET, uri="/lake/fl?ghts/a.parquet"), None, "file", "/lake"),
        (
            Source("s", PARQUET, uri="s3://lake/gold/x", connection="lake"),
            "s3://u:p@h",
            "s3://lake",
            "gold/x",
        ),
        (Source("s", PARQUET, uri="s3://lake/gold/*.parquet", connection="l"), None, "s3://lake", "gold"),
        (Source("s", STREAM, uri="x.jsonl"), None, "file", "/srv/x.jsonl"),
        (Source("s", STREAM, connection="e", topic="t"), "redis://u:secret@h:6380/2", "redis://h:6380", "t"),
        (Source("s", STREAM, connection="e", topic="t"), "redis://h", "redis://h:6379", "t"),
        (Source("s", STREAM, connection="e", topic="t"), "rediss://h:1", "redis://h:1", "t"),
        (
            Source("s", SQL, connection="w", table="gold.x"),
            "postgresql://u:p@h/db",
            "postgres://h:5432",
            "db.gold.x",
        ),
        (
            Source("s", SQL, connection="w", table="x"),
            "postgres://h:6000/db",
            "postgres://h:6000",
            "db.public.x",
        ),
    ],
)
def test_a_dataset_is_named_by_where_it_is(source, url, namespace, name):
    assert dataset_of(source, root="/srv", connection_url=url) == LineageDataset(namespace, name)


def test_a_declared_dataset_wins():
    declared = LineageDataset("s3://lake", "gold/x")
    assert dataset_of(Source("s", PARQUET, uri="x", lineage=declared), root="/srv") == declared


@pytest.mark.parametrize("source", [Source("s", PUSH), Source("s", STREAM, connection="e", topic="t")])
def test_nothing_names_the_dataset_of_a_push_or_of_an_unknown_connection(source):
    assert dataset_of(source, root="/srv") is None
