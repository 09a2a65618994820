"""What is DynamoDB's own: keys left unprocessed, throttling, items that are full, races within one item."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Unavailable
from store_adapters import Lane, RowWrite, Store, Watermark, WriteResult, encode_key, open_store
from tests.store_adapters.conformance.backdoors import DynamoBackdoor
from tests.store_adapters.conformance.conftest import server_url
from tests.store_adapters.stories import HOUR, LAYOUT, NOW, key_of, packed, write_of
from tests.store_adapters.tampering import Tampering, busy, tampering_with

pytestmark = pytest.mark.dynamodb

WRITTEN, OLDER = WriteResult.WRITTEN, WriteResult.OLDER


@pytest.fixture
def backdoor() -> Iterator[DynamoBackdoor]:
    opened = DynamoBackdoor(f"dynamodb://eu-west-1/t{uuid4().hex}?endpoint={server_url('dynalite')}")
    open_store(opened.url).ping()  # makes the table
    yield opened
    opened.drop_table()


@pytest.fixture
def tampering() -> Iterator[Tampering]:
    with tampering_with(server_url("dynalite")) as found:
        yield found


@pytest.fixture
def store(backdoor: DynamoBackdoor, tampering: Tampering) -> Iterator[Store]:
    opened = open_store(f"dynamodb://eu-west-1/{backdoor.table}?endpoint={tampering.url}", timeout_seconds=10)
    yield opened
    opened.close()


def test_reads_take_a_hundred_keys_a_call_and_no_key_twice(store: Store, tampering: Tampering):
    writes = [write_of(i, packed(float(i))) for i in range(250)]
    assert store.write_rows("p", "v", writes, run_number=1) == [WRITTEN] * 250
    tampering.calls.clear()
    found = store.read_rows("p", "v", [write.key for write in writes] * 2)
    assert found == [write.row for write in writes] * 2
    assert tampering.calls == ["BatchGetItem"] * 3


def test_keys_left_unprocessed_are_asked_for_again(store: Store, tampering: Tampering):
    writes = [write_of(i, packed(float(i))) for i in range(50)]
    store.write_rows("p", "v", writes, run_number=1)
    left: dict[int, dict] = {}

    def take_seven(operation: str, body: dict) -> None:
        if operation == "BatchGetItem":
            (request,) = body["RequestItems"].values()
            left[threading.get_ident()] = {**request, "Keys": request["Keys"][7:]}
            request["Keys"] = request["Keys"][:7]

    def tell(operation: str, answer: dict) -> None:
        rest = left.pop(threading.get_ident(), None)
        if rest and rest["Keys"]:
            (table,) = answer["Responses"]
            answer["UnprocessedKeys"] = {table: rest}

    tampering.before, tampering.after = take_seven, tell
    assert store.read_rows("p", "v", [write.key for write in writes]) == [write.row for write in writes]


def test_keys_that_stay_unprocessed_are_unavailable_and_not_absent(
    backdoor: DynamoBackdoor, tampering: Tampering
):
    url = f"dynamodb://eu-west-1/{backdoor.table}?endpoint={tampering.url}"
    store = open_store(url, timeout_seconds=0.2)
    tampering.before = lambda operation, body: (
        200,
        {"Responses": {}, "UnprocessedKeys": body["RequestItems"]},
    )
    with pytest.raises(Unavailable, match="read rows of p/v: 3 of 3 keys were left unprocessed"):
        store.read_rows("p", "v", [key_of(1), key_of(2), key_of(3)])


def test_a_throttled_call_is_tried_again(store: Store, tampering: Tampering):
    refusals = iter(range(3))
    tampering.before = lambda operation, body: busy() if next(refusals, None) is not None else None
    assert store.write_rows("p", "v", [write_of(1, packed())], run_number=1) == [WRITTEN]
    assert store.read_rows("p", "v", [key_of(1)]) == [packed()]


def test_a_call_that_stays_throttled_is_unavailable_in_time(backdoor: DynamoBackdoor, tampering: Tampering):
    url = f"dynamodb://eu-west-1/{backdoor.table}?endpoint={tampering.url}"
    tampering.before = lambda operation, body: busy()
    with pytest.raises(Unavailable, match=r"could not write rows of p/v: .*too fast"):
        open_store(url, timeout_seconds=0.2).write_rows("p", "v", [write_of(1, packed())], run_number=1)
    assert len(tampering.calls) > 1


def test_a_lost_answer_is_asked_for_again_and_the_row_counts_as_written(store: Store, tampering: Tampering):
    tampering.loses = "UpdateItem"
    assert store.write_rows("p", "v", [write_of(1, packed(run=7))], run_number=7) == [WRITTEN]
    assert tampering.calls.count("UpdateItem") == 2
    assert store.read_rows("p", "v", [key_of(1)]) == [packed(run=7)]


def test_a_row_that_came_between_reading_and_writing_is_not_overwritten(
    store: Store, backdoor: DynamoBackdoor, tampering: Tampering
):
    other = open_store(backdoor.url)
    newer = packed(9.0, at=NOW + 1, run=2)

    def overtake(operation: str, body: dict) -> None:
        if operation == "UpdateItem":
            tampering.before = lambda operation, body: None
            other.write_rows("p", "v", [write_of(1, newer)], run_number=2)

    tampering.before = overtake
    assert store.write_rows("p", "v", [write_of(1, packed())], run_number=1) == [OLDER]
    assert store.read_rows("p", "v", [key_of(1)]) == [newer]


def test_an_expiry_that_came_between_is_not_brought_forward(
    store: Store, backdoor: DynamoBackdoor, tampering: Tampering
):
    other = open_store(backdoor.url)

    def overtake(operation: str, body: dict) -> None:
        if operation == "UpdateItem":
            tampering.before = lambda operation, body: None
            other.write_rows("p", "w", [write_of(1, packed(), NOW + 2 * HOUR)], run_number=2)

    tampering.before = overtake
    assert store.write_rows("p", "v", [write_of(1, packed(), NOW + HOUR)], run_number=1) == [WRITTEN]
    assert backdoor.record_expiry_us("p", key_of(1)) == NOW + 2 * HOUR


def test_an_item_goes_with_its_last_row_unless_another_view_was_faster(
    store: Store, backdoor: DynamoBackdoor, tampering: Tampering
):
    other = open_store(backdoor.url)
    store.write_rows("p", "v", [write_of(1, packed()), write_of(2, packed())], run_number=1)
    assert store.delete_rows("p", "v", [key_of(2)]) == 1
    assert backdoor.item(b"fl:p:" + key_of(2)) == {}

    def overtake(operation: str, body: dict) -> None:
        if operation == "DeleteItem":
            other.write_rows("p", "w", [write_of(1, packed(4.0))], run_number=2)

    tampering.before = overtake
    assert store.delete_rows("p", "v", [key_of(1)]) == 1
    assert store.read_rows("p", "w", [key_of(1)]) == [packed(4.0)]


def test_a_watermark_that_cannot_be_read_is_no_evidence_and_is_replaced(
    store: Store, backdoor: DynamoBackdoor
):
    backdoor.put(b"fl-wm:p", "v/batch", {"S": "soon"})
    backdoor.put(b"fl-wm:p", "v/carrier_pigeon", {"M": {"generation": {"N": "1"}, "us": {"N": "2"}}})
    assert store.read_watermarks("p") == {}
    assert store.write_watermark("p", "v", Lane.BATCH, Watermark(0, 0))
    assert store.read_watermarks("p") == {("v", Lane.BATCH): Watermark(0, 0)}


@pytest.mark.parametrize("size", [300_000, 450_000], ids=["beside another view", "alone"])
def test_a_row_that_the_item_cannot_hold_fails_alone(store: Store, backdoor: DynamoBackdoor, size: int):
    store.write_rows("p", "w", [write_of(1, packed(1.0, "x" * 200_000))], run_number=1)
    writes = [write_of(1, packed(1.0, "x" * size)), write_of(2, packed())]
    assert store.write_rows("p", "v", writes, run_number=1) == [WriteResult.TOO_LARGE, WRITTEN]
    assert store.read_rows("p", "v", [key_of(1), key_of(2)]) == [None, packed()]


def test_a_key_that_no_item_can_have_fails_its_row_and_reads_as_absent(store: Store):
    long = encode_key([("k", Dtype.STRING, "x" * 3_000)])
    writes = [RowWrite(long, packed()), write_of(1, packed())]
    assert store.write_rows("p", "v", writes, run_number=1) == [WriteResult.TOO_LARGE, WRITTEN]
    assert store.read_rows("p", "v", [long, key_of(1)]) == [None, packed()]
    assert store.delete_rows("p", "v", [long]) == 0


def test_the_table_is_made_on_first_use_and_describes_itself(backdoor: DynamoBackdoor):
    backdoor.drop_table()
    store = open_store(backdoor.url)
    store.write_layout("p", "v", LAYOUT)
    assert store.read_layout("p", "v", LAYOUT.number) == LAYOUT
    description = store.describe()
    assert (description.kind, description.address, description.problems) == ("dynamodb", store.address, ())
    made = backdoor.client.describe_table(TableName=backdoor.table)["Table"]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert made["AttributeDefinitions"] == [{"AttributeName": "entity-key", "AttributeType": "B"}]


def test_a_table_that_takes_longer_to_make_than_a_call_may_wait_is_waited_for(
    backdoor: DynamoBackdoor, tampering: Tampering
):
    backdoor.drop_table()
    looks: list[str] = []

    def make_slowly(operation: str, answer: dict) -> None:
        if operation == "DescribeTable" and len(looks) < 8:
            looks.append(operation)
            answer["Table"]["TableStatus"] = "CREATING"

    tampering.after = make_slowly
    url = f"dynamodb://eu-west-1/{backdoor.table}?endpoint={tampering.url}"
    store = open_store(url, timeout_seconds=0.5)
    store.write_layout("p", "v", LAYOUT)
    assert (store.read_layout("p", "v", LAYOUT.number), len(looks)) == (LAYOUT, 8)
    store.close()


def test_a_table_of_another_program_is_a_problem_that_describe_tells(backdoor: DynamoBackdoor):
    backdoor.drop_table()
    backdoor.client.create_table(
        TableName=backdoor.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    (problem,) = open_store(backdoor.url).describe().problems
    assert "the table's key is not 'entity-key' alone" in problem
