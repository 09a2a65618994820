"""Python writes these files; the Go tests read them."""

import json
from pathlib import Path

import pytest

from store_adapters import decode_header, decode_key, decode_row, encode_key, encode_row
from tests.store_adapters import golden_json as g
from tests.store_adapters.golden_cases import key_cases, row_cases

GOLDEN = Path(__file__).parents[1] / "golden"


def _stored(file: str) -> list[dict]:
    path = GOLDEN / file
    return json.loads(path.read_text()) if path.exists() else []  # absent only before the first --rewrite


def _built_keys() -> list[dict]:
    return [
        {"name": name, "join_keys": g.dump_key(join_keys), "hex": encode_key(join_keys).hex()}
        for name, join_keys in key_cases()
    ]


def _built_rows() -> list[dict]:
    cases = []
    for name, layout, row in row_cases():
        data = encode_row(row, layout)
        stored = decode_row(data, layout)  # what a reader sees: -0.0 has become 0.0, floats are rounded
        cases.append(
            {"name": name, "layout": g.dump_layout(layout), "row": g.dump_row(stored), "hex": data.hex()}
        )
    return cases


@pytest.mark.parametrize(("file", "build"), [("keys.json", _built_keys), ("rows.json", _built_rows)])
def test_the_golden_file_is_what_python_writes(file: str, build: object, request: pytest.FixtureRequest):
    built = build()
    if request.config.getoption("--rewrite"):
        g.write(GOLDEN / file, built)
    assert json.loads((GOLDEN / file).read_text()) == built


@pytest.mark.parametrize("case", _stored("keys.json"), ids=lambda c: c["name"])
def test_a_golden_key_reads_back(case: dict):
    join_keys = g.load_key(case["join_keys"])
    assert encode_key(join_keys).hex() == case["hex"]
    assert decode_key(bytes.fromhex(case["hex"])) == sorted(join_keys)


@pytest.mark.parametrize("case", _stored("rows.json"), ids=lambda c: c["name"])
def test_a_golden_row_reads_back(case: dict):
    layout = g.load_layout(case["layout"])
    data = bytes.fromhex(case["hex"])
    decoded = decode_row(data, layout)
    assert g.dump_row(decoded) == case["row"]
    assert encode_row(g.load_row(case["row"], layout), layout) == data
    assert decode_header(data).event_time_us == decoded.event_time_us


def test_no_golden_row_shows_a_negative_zero():
    text = (GOLDEN / "rows.json").read_text()
    assert "-0.0" not in text


def test_names_of_golden_cases_are_unique():
    for names in ([name for name, _ in key_cases()], [name for name, _, _ in row_cases()]):
        assert len(set(names)) == len(names)
