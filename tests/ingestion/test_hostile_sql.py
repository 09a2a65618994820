"""SQL in definitions is hostile input: refused at plan, and again at run, or stopped at its limit."""

import os
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from controlplane.ingestion.engines import duckdb_reading
from controlplane.ingestion.engines.jobs import Column, CompareJob, EngineFailure, Limits, SourceFiles
from controlplane.kernel.errors import Refused
from controlplane.kernel.sql_guard import CheckedQuery, check_query
from controlplane.registry.models import Contract, FeatureView
from controlplane.registry.services.planning import plan_definition
from tests.ingestion.test_batch import SOURCE, define, rows_of
from tests.ingestion.world import KEY, view_document

HOSTILE = {
    "a write": "INSERT INTO s VALUES (1)",
    "a write in a common table": "WITH a AS (SELECT 1) INSERT INTO s SELECT * FROM a",
    "a copy over the source": "COPY (SELECT 1) TO 'data/s.parquet' (FORMAT parquet, use_tmp_file false)",
    "an update": "UPDATE s SET x = 1",
    "a drop": "DROP VIEW s",
    "a table": "CREATE TABLE t AS SELECT 1",
    "a setting": "SET enable_external_access = true",
    "a reset": "RESET allowed_paths",
    "two statements": "SELECT * FROM s; SELECT * FROM s",
    "no statement": "-- nothing",
    "a closed parenthesis": "SELECT 1) AS q; DROP VIEW s; SELECT * FROM (SELECT 1",
    "a database": "ATTACH 'other.db'",
    "a pragma": "PRAGMA database_list",
    "a call": "CALL pragma_version()",
    "an extension": "INSTALL httpfs",
    "a loaded extension": "LOAD httpfs",
    "an export": "EXPORT DATABASE 'x'",
    "a prepared statement": "PREPARE p AS SELECT 1",
    "an explanation": "EXPLAIN ANALYZE SELECT * FROM s",
    "a second Parquet file": "SELECT * FROM read_parquet('/srv/other.parquet')",
    "a second CSV file": "SELECT * FROM s, read_csv('/etc/passwd')",
    "a file in a subquery": "SELECT *, (SELECT max(column0) FROM read_csv('/etc/passwd')) FROM s",
    "a file in a common table": "WITH p AS (FROM read_text('/etc/passwd')) SELECT * FROM s, p",
    "a list of files": "SELECT * FROM glob('/**')",
    "a file by its name": "SELECT * FROM '/etc/passwd'",
    "a file by its name in quotes": 'SELECT * FROM "/srv/other.parquet"',
    "another schema": "SELECT * FROM information_schema.tables",
    "the catalog": "SELECT * FROM duckdb_secrets()",
    "the settings": "SELECT * FROM duckdb_settings()",
    "http": "SELECT * FROM read_csv('http://169.254.169.254/latest/meta-data')",
    "http by its name": "SELECT * FROM 'https://example.com/x.parquet'",
    "s3": "SELECT * FROM read_parquet('s3://bucket/x')",
    "the environment": "SELECT *, getenv('DATABASE_URL') FROM s",
    "a hidden query": "SELECT * FROM query('SELECT 1')",
    "a hidden table": "SELECT * FROM query_table('s')",
    "the clock": "SELECT * FROM s WHERE t > now() - INTERVAL 1 HOUR",
    "the clock as a word": "SELECT * FROM s WHERE t > current_timestamp",
    "the day": "SELECT *, current_date FROM s",
    "the clock in a lambda": "SELECT list_transform([1], lambda q: now()) FROM s",
    "chance": "SELECT *, random() AS r FROM s",
    "a share by chance": "SELECT * FROM s TABLESAMPLE 10%",
    "some rows by chance": "SELECT * FROM (SELECT * FROM s USING SAMPLE 5) AS q",
    "a chance that is set": "SELECT * FROM s TABLESAMPLE reservoir(5) REPEATABLE (7)",
    "an age until today": "SELECT *, age(t) FROM s",
    "the seed of chance": "SELECT *, setseed(0.5) FROM s",
    "the user": "SELECT *, current_user FROM s",
    "the user as a function": "SELECT *, main.current_user() FROM s",
    "the version": "SELECT *, version() FROM s",
    "a setting's value": "SELECT *, current_setting('threads') FROM s",
    "a variable": "SELECT *, getvariable('x') FROM s",
    "the transaction": "SELECT *, txid_current() FROM s",
    "the connection": "SELECT *, current_connection_id() FROM s",
    "the catalogue": "SELECT *, pg_get_viewdef(1) FROM s",
    "a clock behind a name": "SELECT *, pg_postmaster_start_time() FROM s",
    "a clock behind a macro": "SELECT *, ago(INTERVAL 1 DAY) FROM s",
    "an identifier": "SELECT *, gen_random_uuid() FROM s",
    "another identifier": "SELECT *, uuidv7() FROM s",
    "a sequence": "SELECT *, nextval('q') FROM s",
    "today": "SELECT *, TODAY() FROM s",
    "a nap": "SELECT *, sleep_ms(1000) FROM s",
    "another parameter": "SELECT * FROM s WHERE x > $secret",
    "a description": "DESCRIBE s",
    "a summary": "SUMMARIZE s",
}


# What the engine says of its own functions. Whoever adds one here says why it may be called.
CALLED_ALL_THE_SAME = {"error"}


def test_no_function_is_forgotten_that_the_engine_calls_unsteady():
    rows = duckdb.sql(
        "SELECT DISTINCT function_name, len(parameters) FROM duckdb_functions()"
        " WHERE function_type <> 'table' AND function_name SIMILAR TO '[a-z_0-9]+'"
        " AND (stability <> 'CONSISTENT' OR has_side_effects)"
    ).fetchall()
    assert len(rows) > 20
    for name, count in rows:
        query = f"SELECT {name}({', '.join(['x'] * count)}) FROM s"
        if name not in CALLED_ALL_THE_SAME:
            with pytest.raises(Refused, match=rf"{name}(\(\))? .*(twice|outside)"):
                check_query(query, tables=["s"])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT age(t, $as_of) FROM s",
        "SELECT date_diff('day', t, $as_of), pg_typeof(t), user FROM s",
        "SELECT avg(x) FILTER (WHERE x > 0), list_transform([1], lambda q: q + 1) FROM s",
        "SELECT hash(x), date_trunc('hour', t), row_number() OVER (ORDER BY t), coalesce(x, 0) FROM s",
        "SELECT regexp_extract(n, 'a'), json_extract(n, '$.a'), strftime(t, '%d'), to_timestamp(x) FROM s",
    ],
)
def test_what_is_the_same_twice_may_be_called(query):
    check_query(query, tables=["s"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ATTACH 'x.db'", "its statement is ATTACH"),
        ("/* first */ install httpfs", "its statement is INSTALL"),
        ("-- wide\nPIVOT s ON x USING sum(y)", "its statement is PIVOT"),
        ("LOAD httpfs", "its statement is LOAD"),
    ],
)
def test_a_statement_is_called_by_the_name_that_was_typed(query, said):
    with pytest.raises(Refused, match=said):
        check_query(query, tables=["s"])


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused_by_the_statement_check(query):
    with pytest.raises(Refused) as refused:
        check_query(query, tables=["s"])
    assert refused.value.code == "bad_sql"


def test_the_refusal_says_what_kind_of_statement_it_is():
    with pytest.raises(Refused) as refused:
        check_query(HOSTILE["a copy over the source"], tables=["s"])
    assert "its statement is COPY" in refused.value.detail


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM s",
        "SELECT k, sum(x) AS x, max(t) AS t FROM s WHERE t > $as_of - INTERVAL 1 DAY GROUP BY ALL;",
        "WITH a AS (SELECT * FROM s), b AS (SELECT * FROM a) SELECT * FROM b JOIN r USING (k)",
        "FROM s SELECT k -- a comment at the end",
        "SELECT unnest(range(3)) AS x FROM S",
        "SELECT * FROM s QUALIFY row_number() OVER (PARTITION BY k ORDER BY t DESC) = 1",
        "SELECT 'DROP TABLE x; now()' AS y FROM s",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM s, n",
    ],
)
def test_an_honest_query_passes(query):
    check_query(query, tables=["s", "r"])


@pytest.mark.parametrize(
    "name", ["a second CSV file", "two statements", "a copy over the source", "the clock"]
)
def test_it_is_refused_at_plan_with_its_path(world, name):
    document = {
        "version": 1,
        "entities": [KEY],
        "sources": [SOURCE],
        "feature_views": [view_document(batch={"source": "s", "query": HOSTILE[name]})],
    }
    with pytest.raises(Refused) as refused:
        plan_definition(world.project, document, now=world.now)
    assert [(error.path, error.code) for error in refused.value.errors] == [
        ("feature_views[0].batch.query", "bad_sql")
    ]


@pytest.mark.parametrize("uri", ["/etc/passwd", "../secrets.parquet", "data/../../x", "file:///etc/*.conf"])
def test_a_source_outside_the_allowed_folders_is_refused_at_plan(world, uri):
    document = {"version": 1, "sources": [{**SOURCE, "uri": uri}]}
    with pytest.raises(Refused) as refused:
        plan_definition(world.project, document, now=world.now)
    assert [(error.path, error.code) for error in refused.value.errors] == [
        ("sources[0].uri", "source_outside_roots")
    ]


def smuggle(world, query):
    """Put a query into the tables that no plan would let in."""
    define(world)
    world.write_parquet("s.parquet", rows_of(range(3)))
    for table in (FeatureView, Contract):
        for row in table.objects.all():
            row.document = row.document.replace('"SELECT * FROM s"', '"' + query.replace('"', '\\"') + '"')
            row.save()
    assert world.view().view.batch.query == query


@pytest.mark.parametrize(
    "name", ["a copy over the source", "a second CSV file", "a setting", "the environment"]
)
def test_it_is_refused_at_the_run_as_well(world, name):
    smuggle(world, HOSTILE[name])
    before = (world.data / "s.parquet").read_bytes()
    run = world.run_batch()
    assert (run.state, run.error["code"]) == ("failed", "bad_sql")
    assert (world.data / "s.parquet").read_bytes() == before


class TestTheEngineItself:
    """The second fence: what the engine refuses when the statement check is not there."""

    @pytest.fixture
    def job(self, world):
        define(world)
        world.write_parquet("s.parquet", rows_of(range(3)))
        (world.data / "other.parquet").write_bytes((world.data / "s.parquet").read_bytes())
        return CompareJob(
            sources=[SourceFiles("s", "parquet", [str(world.data / "s.parquet")], "t")],
            query="",
            as_of_us=0,
            join_keys=[Column("k", "string")],
            features=[],
            event_time="t",
            order_by=None,
            default_event_us=0,
            limits=Limits(256, 1, 256),
        )

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_parquet('{data}/other.parquet')",
            "SELECT * FROM '{data}/other.parquet'",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM glob('/etc/*')",
            "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
            "COPY (SELECT 1) TO '{data}/new.parquet'",
            "ATTACH '{data}/new.db'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET allowed_paths = ['/etc/passwd']",
            "SET memory_limit = '64GB'",
            "RESET lock_configuration",
        ],
    )
    def test_it_opens_nothing_and_changes_nothing(self, world, job, sql):
        import duckdb

        with duckdb_reading.open_engine(world.folder, job) as connection:
            connection.execute("SELECT * FROM s").fetchall()
            with pytest.raises(duckdb.Error):
                connection.execute(sql.format(data=world.data)).fetchall()

    def test_a_python_variable_is_no_table(self, world, job):
        import duckdb

        secret = duckdb.sql("SELECT 42 AS answer")
        with duckdb_reading.open_engine(world.folder, job) as connection, pytest.raises(duckdb.Error):
            connection.execute("SELECT * FROM secret").fetchall()
        assert secret is not None

    def test_a_query_that_reaches_out_is_told_as_bad_sql(self, world, job, monkeypatch):
        query = f"SELECT * FROM read_parquet('{world.data}/other.parquet')"
        monkeypatch.setattr(duckdb_reading, "check_query", lambda *_, **__: CheckedQuery(query, False))
        with (
            duckdb_reading.open_engine(world.folder, job) as connection,
            pytest.raises(EngineFailure) as failure,
        ):
            duckdb_reading.write_rows(connection, world.folder, job)
        assert failure.value.code == "bad_sql"


class TestLimits:
    ENDLESS = """
        WITH RECURSIVE n(i) AS (SELECT 1::BIGINT UNION ALL SELECT i + 1 FROM n)
        SELECT 'a' AS k, i AS x, NULL AS y, TIMESTAMP '2026-11-23' AS t FROM n
    """
    QUIET = """
        SELECT 'a' AS k, sum(a.i * b.i) AS x, NULL AS y, TIMESTAMP '2026-11-23' AS t
        FROM range(10000000) a(i), range(10000000) b(i)
    """
    BOMB = """
        SELECT 'a' AS k, 1 AS x, string_agg(repeat('x', 1000), '') AS y, TIMESTAMP '2026-11-23' AS t
        FROM range(10000000) GROUP BY ALL
    """

    @pytest.mark.parametrize("query", [ENDLESS, QUIET], ids=["endless recursion", "a cross join"])
    def test_a_query_without_end_meets_the_limit_of_time(self, world, settings, query):
        settings.FRESHLINE_BATCH_TIMEOUT = timedelta(seconds=3)
        settings.FRESHLINE_BATCH_MEMORY_MB = 128
        define(world, batch={"query": query})
        world.write_parquet("s.parquet", rows_of([1]))
        run = world.run_batch()
        assert (run.state, run.error["code"]) == ("failed", "sql_limit")
        assert children() == set()

    def test_a_memory_bomb_meets_the_limit_of_memory(self, world, settings):
        settings.FRESHLINE_BATCH_MEMORY_MB = 128
        settings.FRESHLINE_BATCH_TIMEOUT = timedelta(seconds=60)
        define(world, batch={"query": self.BOMB})
        world.write_parquet("s.parquet", rows_of([1]))
        run = world.run_batch()
        assert (run.state, run.error["code"]) == ("failed", "sql_limit")


def test_the_reading_process_has_no_secret_of_ours():
    from controlplane.ingestion.engines.duckdb import _environment

    given = _environment(Path("/tmp/x"))
    assert set(given) == {
        "PATH", "PYTHONPATH", "HOME", "TMPDIR", "LANG", "ARROW_DEFAULT_MEMORY_POOL", "MALLOC_ARENA_MAX",
    }  # fmt: skip


def children():
    """The processes of ours that run the reading module."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and "duckdb_child" in (entry / "cmdline").read_text():
                found.add(entry.name)
        except (OSError, ValueError, IndexError):
            continue
    return found
