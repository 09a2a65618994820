"""Event times of batch sources, in the types that other tools write."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.ingestion.test_batch import define, minutes_ago

pytestmark = pytest.mark.django_db


def test_times_of_nanoseconds_with_a_zone_are_read_as_pandas_writes_them(world):
    define(world)
    whole, part = (int(minutes_ago(1).timestamp()) * 10**9 + more for more in (1_000, 1))
    table = pa.table(
        {
            "k": ["whole", "part"],
            "x": pa.array([1, 2], pa.int64()),
            "y": pa.array([None, None], pa.string()),
            "t": pa.array([whole, part], pa.timestamp("ns", tz="UTC")),
        }
    )
    pq.write_table(table, world.data / "s.parquet")
    run = world.run_batch()
    assert (run.state, run.counts.refused) == ("succeeded", 0)
    found = [world.row(key).event_time_us for key in ("whole", "part")]
    assert found == [whole // 1_000, part // 1_000]
