"""Run by Feast's own Python (requirements/feast.txt): write two registry files of real Feast's.

    .tools/feast/bin/python tests/golden/feast_registry_program.py FOLDER

``feast_registry_stock.db`` is what `feast apply` makes of the repository that `feast init` writes;
``feast_registry_rich.db`` holds two projects with all that an importer may meet. Imports nothing of ours:
that environment has only Feast.
"""

import subprocess
import sys
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path

from feast import (
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    KafkaSource,
    Project,
    PushSource,
    RequestSource,
    ValueType,
)
from feast.aggregation import Aggregation
from feast.data_format import DeltaFormat, JsonFormat, ParquetFormat
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.bigquery_source import BigQuerySource
from feast.infra.offline_stores.file_source import FileLoggingDestination, SavedDatasetFileStorage
from feast.infra.registry.registry import Registry
from feast.on_demand_feature_view import on_demand_feature_view
from feast.permissions.permission import Permission
from feast.repo_config import RegistryConfig
from feast.saved_dataset import SavedDataset
from feast.stream_feature_view import StreamFeatureView
from feast.types import (
    Array,
    Bool,
    Bytes,
    Float32,
    Float64,
    Int32,
    Int64,
    Json,
    Map,
    Set,
    String,
    UnixTimestamp,
)

PROJECT = "shop"
CUSTOMER = Entity(
    name="Customer",
    join_keys=["customer_id"],
    value_type=ValueType.STRING,
    owner="crm-team@example.com",
    description="Who buys.",
    tags={"pii": "yes"},
)
PRODUCT = Entity(name="product", join_keys=["product_id"], owner="catalogue")
NEVER_USED = Entity(name="never_used", join_keys=["unused_id"], value_type=ValueType.FLOAT)
STATS = FileSource(
    name="data/stats.parquet",
    path="data/stats.parquet",
    timestamp_field="Event Time",
    created_timestamp_column="created",
    field_mapping={"orders 7d": "orders", "id": "customer_id"},
    owner="Lake Team",
    description="One row a customer and hour.",
    tags={"zone": "gold"},
)
DELTA = FileSource(name="delta", path="data/table", file_format=DeltaFormat(), timestamp_field="ts")
S3 = FileSource(name="s3", path="s3://lake/x.parquet", file_format=ParquetFormat(), timestamp_field="ts")
WAREHOUSE = BigQuerySource(name="warehouse", table="a.b.c", timestamp_field="ts")
PUSHED = PushSource(name="pushed", batch_source=STATS)
BADLY_NAMED = PushSource(name="Push-Me", batch_source=STATS)
KAFKA = KafkaSource(
    name="clicks",
    timestamp_field="ts",
    kafka_bootstrap_servers="broker:9092",
    topic="clicks",
    message_format=JsonFormat(schema_json="customer_id string, clicks integer, ts timestamp"),
    batch_source=STATS,
)
REQUEST = RequestSource(name="asked", schema=[Field(name="amount", dtype=Int64)])
CUSTOMER_ID = Field(name="customer_id", dtype=String)
PRODUCT_ID = Field(name="product_id", dtype=Int64)
TYPES = {
    "a_blob": Bytes,
    "a_text": String,
    "an_int32": Int32,
    "an_int64": Int64,
    "a_double": Float64,
    "a_float": Float32,
    "a_bool": Bool,
    "a_time": UnixTimestamp,
    "blobs": Array(Bytes),
    "texts": Array(String),
    "int32s": Array(Int32),
    "int64s": Array(Int64),
    "doubles": Array(Float64),
    "floats": Array(Float32),
    "bools": Array(Bool),
    "times": Array(UnixTimestamp),
    "a_map": Map,
    "a_json": Json,
    "a_set": Set(Int64),
}


def view(name, *features, entity=CUSTOMER, key=CUSTOMER_ID, source=STATS, **more):
    """Return a feature view whose features are named or given."""
    fields = [each if isinstance(each, Field) else Field(name=each, dtype=Int64) for each in features]
    entities = [entity] if entity else []
    return FeatureView(
        name=name, entities=entities, schema=[*([key] if entity else []), *fields], source=source, **more
    )


ORDERS = view(
    "orders",
    Field(name="orders", dtype=Int64, description="In seven days.", tags={"unit": "1"}),
    Field(name="Refunds", dtype=Int64),
    Field(name="event_time", dtype=Int64),
    ttl=timedelta(hours=36),
    owner="crm-team@example.com",
    description="What a customer ordered.",
    tags={"team": "crm", "empty": ""},
)
VIEWS = [
    ORDERS,
    view("every_type", *(Field(name=name, dtype=dtype) for name, dtype in TYPES.items()), source=PUSHED),
    view("badly_pushed", "a", source=BADLY_NAMED, ttl=timedelta(milliseconds=1500)),
    view("clicked", "clicks", source=KAFKA, ttl=timedelta(days=5000)),
    view("from_delta", "a", source=DELTA),
    view("from_s3", "a", source=S3),
    view("from_warehouse", "a", source=WAREHOUSE, entity=PRODUCT, key=PRODUCT_ID, ttl=timedelta(days=30)),
    view("BadName", "a"),
    view("offline_only", "a", online=False),
    view("without_entity", "a", entity=None),
    view("typed_otherwise", "a", entity=PRODUCT, key=Field(name="product_id", dtype=Int32)),
    view("nothing_but_maps", Field(name="a_map", dtype=Map)),
]
DISABLED = view("disabled", "a")
DISABLED.enabled = False
STREAMED = StreamFeatureView(
    name="streamed",
    entities=[CUSTOMER],
    schema=[CUSTOMER_ID, Field(name="sum_clicks_3600s", dtype=Int64)],
    source=KAFKA,
    timestamp_field="ts",
    ttl=timedelta(hours=2),
    mode="spark",
    aggregations=[Aggregation(column="clicks", function="sum", time_window=timedelta(hours=1))],
)


@on_demand_feature_view(sources=[ORDERS, REQUEST], schema=[Field(name="share", dtype=Float64)])
def on_demand(inputs):
    return inputs


SERVICES = [
    FeatureService(
        name="ranker",
        features=[ORDERS, on_demand, VIEWS[6][["a"]].with_name("warehouse_alias")],
        owner="Ranking Team",
        description="Ranks.",
        tags={"tier": "1"},
        logging_config=LoggingConfig(destination=FileLoggingDestination(path="log")),
    ),
    FeatureService(name="renamed", features=[ORDERS.with_join_key_map({"customer_id": "buyer_id"})]),
    FeatureService(name="Bad-Service", features=[ORDERS]),
    FeatureService(name="left_alone", features=[on_demand]),
]


def write_rich(path):
    registry = Registry("", RegistryConfig(path=path.name), path.parent)
    registry.apply_project(Project(name=PROJECT, description="All of it", owner="boss", tags={"a": "b"}))
    registry.apply_project(Project(name="other"))
    for entity in (CUSTOMER, PRODUCT, NEVER_USED):
        registry.apply_entity(entity, PROJECT, commit=False)
    registry.apply_entity(Entity(name="only_here", value_type=ValueType.INT64), "other", commit=False)
    for source in (STATS, DELTA, S3, WAREHOUSE, PUSHED, BADLY_NAMED, KAFKA, REQUEST):
        registry.apply_data_source(source, PROJECT, commit=False)
    for each in (*VIEWS, DISABLED, STREAMED, on_demand):
        registry.apply_feature_view(each, PROJECT, commit=False)
    # As `feast apply` does when a view changes: the earlier one becomes history.
    for service in SERVICES:
        registry.apply_feature_service(service, PROJECT, commit=False)
    registry.apply_permission(Permission(name="readers"), PROJECT, commit=False)
    dataset = SavedDataset(
        name="training",
        features=["orders:orders"],
        join_keys=["customer_id"],
        storage=SavedDatasetFileStorage(path="data/training.parquet"),
    )
    registry.apply_saved_dataset(dataset, PROJECT, commit=False)
    registry.commit()


def write_stock(folder, path):
    """Run `feast init` and `feast apply` as anybody would."""
    command = str(Path(sys.executable).with_name("feast"))
    subprocess.run([command, "init", "driver_repo"], cwd=folder, check=True, stdout=sys.stderr)
    repository = Path(folder) / "driver_repo" / "feature_repo"
    subprocess.run([command, "apply"], cwd=repository, check=True, stdout=sys.stderr)
    path.write_bytes((repository / "data" / "registry.db").read_bytes())


def without_its_place(registry):
    """Feast stores functions with the path of their file: put one of the same length that is nobody's."""
    path = __file__.encode()
    return registry.replace(path, b"feature_repo.py".rjust(len(path), b"/"))


def main(folder):
    warnings.simplefilter("ignore")
    rich = Path(folder) / "feast_registry_rich.db"
    rich.unlink(missing_ok=True)
    write_rich(rich)
    rich.write_bytes(without_its_place(rich.read_bytes()))
    with tempfile.TemporaryDirectory() as made:
        write_stock(made, Path(folder) / "feast_registry_stock.db")


if __name__ == "__main__":
    main(sys.argv[1])
