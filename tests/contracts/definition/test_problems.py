"""Each thing that can be wrong with a definition file, told with its path and code."""

import re

import pytest

from controlplane.contracts.definition import parse
from controlplane.kernel.errors import Refused
from tests.contracts.story import DROP, document

VIEW = "feature_views.0"
FEATURE = "feature_views.0.features.0"
TAIL = "feature_views.0.features.2"
SERVICE = "feature_services.0"
FILES = "sources.0"
STREAM = "sources.1"

# What is edited, to what, the code, and the path of the problem where it is not the path of the edit.
PROBLEMS = [
    # names
    (f"{VIEW}.name", "Delays", "bad_name"),
    (f"{FEATURE}.name", "a-b", "bad_name"),
    ("entities.0.name", 7, "bad_name"),
    ("sources.0.name", "x" * 64, "bad_name"),
    (f"{VIEW}.owner", "The Team", "bad_name"),
    ("project", "Flights", "bad_name"),
    (f"{FEATURE}.name", "event_time", "reserved_name"),
    (f"{FEATURE}.name", "x__verdict", "reserved_name"),
    (f"{TAIL}.name", "carrier", "reserved_name"),
    ("entities.0.join_keys.0.name", "event_time", "reserved_name"),
    ("entities.0.join_keys.0.name", "__dummy", "bad_name"),
    (f"{FEATURE}.name", "__dummy_id", "bad_name"),
    # shape
    ("version", 2, "bad_value"),
    ("version", True, "bad_value"),
    ("project", DROP, "missing_field"),
    ("feature_viewz", [], "unknown_field"),
    ("feature_views", {}, "bad_value"),
    (VIEW, "delays", "bad_value"),
    (f"{VIEW}.ttl", "1h", "unknown_field"),
    (f"{FEATURE}.minimum", 1, "unknown_field"),
    (f"{VIEW}.freshness.max_agee", "1h", "unknown_field"),
    (f"{VIEW}.batch.cron", "1", "unknown_field"),
    (f"{VIEW}.direct.every", "1m", "unknown_field"),
    (f"{VIEW}.name", DROP, "missing_field"),
    (f"{VIEW}.entities", [], "missing_field"),
    (f"{VIEW}.features", DROP, "missing_field"),
    (f"{VIEW}.freshness", DROP, "missing_field"),
    (f"{VIEW}.freshness.max_age", DROP, "missing_field"),
    ("entities.0.join_keys", [], "missing_field"),
    (f"{SERVICE}.features", [], "missing_field"),
    (f"{VIEW}.description", 5, "bad_value"),
    (f"{VIEW}.runbook", "javascript:alert(1)", "bad_value"),
    (f"{VIEW}.tags", {"domain": 5}, "bad_value", "feature_views[0].tags.domain"),
    (f"{VIEW}.tier", "platinum", "bad_value"),
    (f"{VIEW}.enforcement", "off", "bad_value"),
    (f"{SERVICE}.slo", float("nan"), "bad_value"),
    (f"{SERVICE}.slo", {"target": float("nan")}, "bad_value"),
    (f"{SERVICE}.aliases", ["origin"], "bad_value"),
    (f"{SERVICE}.aliases", {"delays": "The Origin"}, "bad_name", "feature_services[0].aliases.delays"),
    (f"{SERVICE}.aliases", {"nope": "origin"}, "unknown_reference", "feature_services[0].aliases.nope"),
    # duplicates
    ("entities.1", document()["entities"][0], "duplicate", "entities[1].name"),
    ("sources.3", {"name": "scores", "kind": "push"}, "duplicate", "sources[3].name"),
    ("feature_views.1", document()["feature_views"][0], "duplicate", "feature_views[1].name"),
    ("feature_services.1", document()["feature_services"][0], "duplicate", "feature_services[1].name"),
    (f"{TAIL}.name", "flights_1d", "duplicate"),
    (f"{VIEW}.entities", ["carrier", "carrier"], "duplicate", "feature_views[0].entities[1]"),
    (f"{SERVICE}.features.2", "delays:avg_delay", "duplicate"),
    (
        "entities.0.join_keys.1",
        {"name": "carrier", "dtype": "int64"},
        "duplicate",
        "entities[0].join_keys[1].name",
    ),
    # types and domains
    ("entities.0.join_keys.0.dtype", "float64", "bad_dtype"),
    ("entities.0.join_keys.0.dtype", "bool", "bad_dtype"),
    ("entities.0.join_keys.0.dtype", DROP, "missing_field"),
    (f"{FEATURE}.dtype", "double", "bad_dtype"),
    (f"{FEATURE}.dtype", ["float64"], "bad_dtype"),
    (f"{FEATURE}.dtype", DROP, "missing_field"),
    (f"{FEATURE}.nullable", "yes", "bad_value"),
    (f"{FEATURE}.min", "low", "bad_value"),
    (f"{FEATURE}.min", True, "bad_value"),
    (f"{FEATURE}.max", "Infinity", "bad_value"),
    (f"{FEATURE}.min", "NaN", "bad_value"),
    (f"{FEATURE}.min", 2880.5, "unsatisfiable"),
    # bins
    (f"{FEATURE}.bins", 10, "bad_value"),
    (f"{FEATURE}.bins", [], "bad_value"),
    (f"{FEATURE}.bins", [10, 5], "bad_value"),
    (f"{FEATURE}.bins", list(range(64)), "bad_value"),
    (f"{FEATURE}.bins", [5, 5.0], "duplicate", "feature_views[0].features[0].bins[1]"),
    (f"{FEATURE}.bins", [1, "ten"], "bad_value", "feature_views[0].features[0].bins[1]"),
    (f"{FEATURE}.bins", [1, "NaN"], "bad_value", "feature_views[0].features[0].bins[1]"),
    (f"{FEATURE}.bins", [1, "Infinity"], "bad_value", "feature_views[0].features[0].bins[1]"),
    (f"{FEATURE}.bins", [None], "bad_value", "feature_views[0].features[0].bins[0]"),
    (f"{FEATURE}.default", "zero", "bad_value"),
    (f"{VIEW}.features.1.default", 0.5, "bad_value"),
    (f"{VIEW}.features.1.min", 1.5, "bad_value"),
    (f"{FEATURE}.max_length", 5, "bad_value"),
    (f"{FEATURE}.allowed", [1], "bad_value"),
    (f"{TAIL}.min", "a", "bad_value"),
    (f"{TAIL}.allow_nan", True, "bad_value"),
    (f"{TAIL}.max_length", -1, "bad_value"),
    (f"{TAIL}.max_length", 1.5, "bad_value"),
    (f"{TAIL}.min_items", 1, "bad_value"),
    (f"{TAIL}.pattern", "(?<=a)b", "bad_pattern"),
    (f"{TAIL}.pattern", "(a", "bad_pattern"),
    (f"{TAIL}.pattern", r"a\C", "bad_pattern"),
    (f"{TAIL}.pattern", "a" * 1001, "bad_value"),
    (f"{TAIL}.allowed", [], "missing_field"),
    (f"{TAIL}.allowed", ["a", "a"], "duplicate", "feature_views[0].features[2].allowed[1]"),
    (f"{TAIL}.allowed", ["a", 5], "bad_value", "feature_views[0].features[2].allowed[1]"),
    (f"{TAIL}.allowed", ["a", None], "bad_value", "feature_views[0].features[2].allowed[1]"),
    # terms
    (f"{VIEW}.on_stale", "drop", "bad_value"),
    (f"{VIEW}.on_missing", "serve", "bad_value"),
    (f"{SERVICE}.on_missing", "serve", "bad_value"),
    (f"{VIEW}.freshness.max_age", "45", "bad_duration"),
    (f"{VIEW}.freshness.max_age", 45, "bad_duration"),
    (f"{SERVICE}.max_age", "0s", "bad_duration"),
    (f"{VIEW}.expire_after", "4000d", "bad_duration"),
    (f"{VIEW}.freshness.warn_after", "46m", "unsatisfiable"),
    (f"{VIEW}.on_missing", "default", "default_missing", "feature_views[0].features[2].default"),
    (f"{SERVICE}.features.2", "delays:last_tail", "default_missing"),
    (f"{SERVICE}.max_rejected", 1.01, "bad_value"),
    (f"{SERVICE}.max_rejected", -0.01, "bad_value"),
    (f"{SERVICE}.max_rejected", float("nan"), "bad_value"),
    (f"{SERVICE}.max_rejected", True, "bad_value"),
    # lanes
    (f"{VIEW}.batch.schedule", "*/46 * * * 1-5", "unsatisfiable"),
    (f"{VIEW}.batch.schedule", "0 * * * *", "unsatisfiable"),
    (f"{VIEW}.batch.schedule", "every hour", "bad_schedule"),
    (f"{VIEW}.batch.schedule", "* * * * * * *", "bad_schedule"),
    (f"{VIEW}.batch.schedule", "61 * * * *", "bad_schedule"),
    (f"{VIEW}.batch.schedule", "0 0 31 2 *", "bad_schedule"),
    (f"{VIEW}.batch.timezone", "Mars/Phobos", "bad_schedule"),
    (f"{VIEW}.batch.timezone", "../etc/passwd", "bad_schedule"),
    (f"{VIEW}.batch.query", "  ", "bad_value"),
    (f"{VIEW}.batch.query", DROP, "missing_field"),
    (f"{VIEW}.batch.source", DROP, "missing_field"),
    (f"{VIEW}.batch.sources", ["flights"], "bad_value"),
    (f"{VIEW}.batch.absent", "drop", "bad_value"),
    (f"{VIEW}.batch.max_refused", 2, "bad_value"),
    (f"{VIEW}.batch.max_removed", "10%", "bad_value"),
    (f"{VIEW}.stream.format", "xml", "bad_value"),
    (
        f"{VIEW}.stream.fields",
        {"no_such": "a"},
        "unknown_reference",
        "feature_views[0].stream.fields.no_such",
    ),
    (f"{VIEW}.stream.fields", {"avg_delay": 5}, "bad_value", "feature_views[0].stream.fields.avg_delay"),
    (
        f"{VIEW}.stream.delete_when",
        {"equals": "d"},
        "missing_field",
        "feature_views[0].stream.delete_when.field",
    ),
    (
        f"{VIEW}.stream.delete_when",
        {"field": "op", "equals": 1.5},
        "bad_value",
        "feature_views[0].stream.delete_when.equals",
    ),
    (f"{VIEW}.direct", "yes", "bad_value"),
    # references
    (f"{VIEW}.entities", ["aircraft"], "unknown_reference", "feature_views[0].entities[0]"),
    (f"{VIEW}.batch.source", "weather", "unknown_reference"),
    (f"{VIEW}.batch.source", "scores", "bad_value"),
    (f"{VIEW}.stream.source", "flights", "bad_value"),
    (f"{VIEW}.direct.source", "departures", "bad_value"),
    (f"{SERVICE}.features.0", "delays:no_such", "unknown_reference"),
    (f"{SERVICE}.features.0", "weather:wind", "unknown_reference"),
    (f"{SERVICE}.features.0", "avg_delay", "bad_value"),
    # sources
    (f"{FILES}.kind", "excel", "bad_value"),
    (f"{FILES}.kind", DROP, "missing_field"),
    (f"{FILES}.uri", DROP, "missing_field"),
    (f"{FILES}.uri", "ftp://host/file", "bad_value"),
    (f"{FILES}.uri", "s3://lake/x.parquet", "missing_field", "sources[0].connection"),
    (f"{FILES}.uri", "s3://key:secret@lake/x.parquet", "bad_value"),
    (f"{FILES}.uri", "https://h/x.csv?sig=secret", "bad_value"),
    (f"{FILES}.connection", "lake", "bad_value"),
    (f"{FILES}.topic", "t", "unknown_field"),
    (f"{FILES}.max_idle", "never", "bad_duration"),
    (f"{FILES}.lineage", {"namespace": "x"}, "missing_field", "sources[0].lineage.name"),
    (f"{FILES}.lineage", "x", "bad_value"),
    ("sources.2.uri", "data/x", "unknown_field"),
    (f"{STREAM}.uri", DROP, "missing_field"),
    (f"{STREAM}.topic", "t", "missing_field", "sources[1].uri"),
    (f"{STREAM}.uri", "s3://lake/x", "bad_value"),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: f"{problem[0]}={problem[1]!r}"[:80])
def test_a_problem_is_told_with_its_path_and_code(problem):
    where, value, code, *elsewhere = problem
    path = elsewhere[0] if elsewhere else re.sub(r"\.(\d+)", r"[\1]", where)
    with pytest.raises(Refused) as refused:
        parse(document((where, value)))
    assert refused.value.code == "bad_definition"
    assert (path, code) in [(error.path, error.code) for error in refused.value.errors]
    for error in refused.value.errors:
        assert error.message
        assert "secret" not in error.message
