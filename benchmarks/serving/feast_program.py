"""Run by Feast's own Python: define the views of table.json in the repository given, and fill Redis.

Imports nothing of ours: that environment has only Feast.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String

TYPES = {"float64": Float64, "int64": Int64, "string": String}


def main(repository: Path) -> None:
    table = json.loads((repository / "table.json").read_text())
    key = Entity(name="entity", join_keys=[table["key"]], value_type=ValueType.INT64)
    source = FileSource(name="table", path=table["path"], timestamp_field=table["event_time"])
    views = {
        name: FeatureView(
            name=name,
            entities=[key],
            ttl=timedelta(days=1),
            schema=[Field(name=table["key"], dtype=Int64)]
            + [Field(name=feature, dtype=TYPES[dtype]) for feature, dtype in features],
            source=source,
        )
        for name, features in table["views"].items()
    }
    services = [
        FeatureService(name=name, features=[views[view] for view in members])
        for name, members in table["services"].items()
    ]
    store = FeatureStore(repo_path=str(repository))
    store.apply([key, source, *views.values(), *services])
    now = datetime.now(UTC)
    store.materialize(start_date=now - timedelta(days=1), end_date=now)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
