"""Stores of Feast's that hold what Feast never wrote, are not there yet, or do not answer."""

import sqlite3
from contextlib import closing

import pytest

from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused, Unavailable
from store_adapters import Column, CorruptRow, Layout, decode_header, encode_key, open_store
from store_adapters.dynamo_calls import Calls
from store_adapters.feast_dynamo import FeastDynamoStore
from store_adapters.feast_values import CorruptValue, parse_time, seconds_to_us
from store_adapters.murmur import murmur3_128
from tests.store_adapters.servers import silent_port

LAYOUT = Layout(1, (Column("trips", Dtype.INT64),))
KEY = encode_key([("driver_id", Dtype.INT64, 1001)])
TABLE = """CREATE TABLE shop_stats (entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT,
  vector_value BLOB, event_ts timestamp, created_ts timestamp, PRIMARY KEY(entity_key, feature_name))"""
_PUT = "INSERT OR REPLACE INTO shop_stats (entity_key, feature_name, value, event_ts) VALUES (?, ?, ?, ?)"
SEVEN = b"\x20\x07"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "online_store.db"


def write(path, value=SEVEN, at=1_795_168_800):
    with closing(sqlite3.connect(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            connection.execute(TABLE)
        row = (KEY, "trips", value, at)
        connection.execute(
            _PUT,
            row,
        )
        connection.commit()


def read(path):
    return open_store(f"feast+sqlite://{path}").read_rows("shop", "stats", [KEY], layout=LAYOUT)[0]


def test_a_file_and_a_table_are_read_once_they_are_there(path):
    store = open_store(f"feast+sqlite://{path}")
    store.ping()
    assert store.describe().warnings == ("Feast has not made the file yet",)
    assert read(path) is None and store.sample_keys("shop", "stats", limit=1) == []
    assert not path.exists()
    sqlite3.connect(path).close()
    assert read(path) is None
    write(path)
    assert decode_header(read(path)).event_time_us == 1_795_168_800_000_000
    assert store.sample_keys("shop", "stats", limit=1) == [KEY]


def test_a_time_that_an_older_feast_wrote_as_text_is_read(path):
    write(path, at="2026-11-20 10:00:00.250000")
    assert decode_header(read(path)).event_time_us == 1_795_168_800_250_000


@pytest.mark.parametrize(
    ("value", "at"), [(b"\x20", 1), (None, 1), ("text", 1), (SEVEN, None), (SEVEN, "soon"), (SEVEN, 2**62)]
)
def test_what_is_not_feasts_is_a_corrupt_row(path, value, at):
    write(path, value, at)
    with pytest.raises(CorruptRow):
        decode_header(read(path))


def test_a_file_that_is_no_database_is_unavailable(path):
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(Unavailable, match=r"feast\+sqlite://.* could not read rows of shop/stats"):
        read(path)


@pytest.mark.dynamodb
def test_a_server_that_says_nothing_is_unavailable_in_time(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with silent_port() as port:
        url = f"feast+dynamodb://eu-west-1?endpoint=http://127.0.0.1:{port}"
        store = open_store(url, timeout_seconds=0.2)
        with pytest.raises(
            Unavailable, match=r"feast\+dynamodb://eu-west-1.* could not read rows of shop/stats"
        ):
            store.read_rows("shop", "stats", [KEY], layout=LAYOUT)
        with pytest.raises(Unavailable):
            store.ping()


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "eu-west-1/table",
        "eu-west-1?table_name_template=x",
        "eu-west-1?consistent=1",
        "eu-west-1?endpoint=x",
    ],
)
def test_urls_that_name_no_store_of_feasts_are_refused(rest):
    with pytest.raises(Refused):
        open_store(f"feast+dynamodb://{rest}")


@pytest.mark.parametrize("text", ["", "2026-11-20", "2026-13-20 10:00:00", "2026-11-20 10:00:00,5", "soon"])
def test_texts_that_are_no_times_are_corrupt(text):
    with pytest.raises(CorruptValue):
        parse_time(text)


def test_times_before_1970_and_with_an_offset_are_read():
    assert parse_time("1969-12-31 23:59:59.999999") == -1
    assert parse_time("2026-11-20 15:30:00+05:30") == seconds_to_us(1_795_168_800)


def test_items_are_named_as_feast_names_them():
    assert murmur3_128(KEY).hex() == "f3cfd4a822f245b63975464763babaec"


def test_a_file_that_cannot_be_looked_at_is_unavailable_and_not_empty(path):
    path.symlink_to(path)  # as a folder without permission, which stops no superuser
    with pytest.raises(Unavailable, match="could not answer a ping"):
        open_store(f"feast+sqlite://{path}").ping()
    with pytest.raises(Unavailable, match="could not read rows of shop/stats"):
        read(path)


@pytest.mark.parametrize(("features", "is_whole"), [(1, False), (290, False), (600, True)])
def test_a_view_of_too_many_features_to_be_named_asks_for_all_values(monkeypatch, features, is_whole):
    asked = []
    monkeypatch.setattr(Calls, "read", lambda _self, _table, _keys, request: asked.append(request) or [])
    store = FeastDynamoStore(region="eu-west-1", endpoint="http://127.0.0.1:1", timeout_seconds=1)
    layout = Layout(1, tuple(Column(f"f{at:04}", Dtype.INT64) for at in range(features)))
    assert store.read_rows("shop", "stats", [KEY], layout=layout) == [None]
    (request,) = asked
    projection, names = request["ProjectionExpression"], request["ExpressionAttributeNames"]
    assert len(projection) <= 4_096
    assert (projection == "#i,#t,#v") is is_whole
    assert set(names.values()) >= {"entity_id", "event_ts", "values"}
    assert len(names) == (3 if is_whole else 3 + features)  # DynamoDB refuses names that are not used
