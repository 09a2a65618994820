"""Which of the engine's functions a query may not call: what they answer depends on more than the rows.

The engine is asked first, so that a function of its next version is not forgotten; by hand is what it does
not know of itself, or what comes with an extension.
"""

import re
from collections.abc import Mapping
from functools import cache

import duckdb

_TIME = "is not the same twice; use $as_of for the time of the snapshot"
_TWICE = "is not the same twice"
_OUTSIDE = "looks outside the query"
_CLOCK = """
    now today get_current_timestamp current_timestamp transaction_timestamp get_current_time current_time
    current_date current_localtime localtime current_localtimestamp localtimestamp clock_timestamp
    statement_timestamp pg_postmaster_start_time pg_conf_load_time
"""
_LOOKING_OUT = """
    getenv getvariable current_setting read_text read_blob glob query query_table current_user session_user
    user current_role current_catalog current_database current_schema current_schemas current_query sniff_csv
    parquet_metadata parquet_schema which_secret duckdb_secrets write_log in_search_path sql_auto_complete
    json_execute_serialized_sql version
"""
_NAMED = {**dict.fromkeys(_CLOCK.split(), _TIME), **dict.fromkeys(_LOOKING_OUT.split(), _OUTSIDE)}
# Written without parentheses these parse as columns, unless they are quoted or qualified. ``user`` is not
# among them: it is a name for a column that people give, and where there is none it is always the same.
WORDS = frozenset(
    {"current_timestamp", "current_date", "current_time", "localtime", "localtimestamp"}
    | {"current_user", "session_user", "current_role", "current_catalog", "current_schema"}
)
_HARMLESS = frozenset({"error", "pg_typeof"})  # the one ends the query, the other tells a type
_UNSTEADY = """
    SELECT DISTINCT lower(function_name) FROM duckdb_functions()
    WHERE function_type <> 'table' AND (stability <> 'CONSISTENT' OR has_side_effects)
"""
_MACROS = """
    SELECT DISTINCT lower(function_name), lower(macro_definition) FROM duckdb_functions()
    WHERE function_type = 'macro'
"""


def why_refused(name: str, arguments: int) -> str | None:
    """Return why a query may not call the function, in words that follow its name; None if it may."""
    if name == "age" and arguments == 1:
        return f"with one argument counts from today and {_TIME}"
    if name.startswith("pg_") and name not in _HARMLESS:
        return _NAMED.get(name, _OUTSIDE)
    return _refused().get(name)


@cache
def _refused() -> Mapping[str, str]:
    """Return every refused function and why; a macro is as its definition."""
    with duckdb.connect(":memory:", config={"autoload_known_extensions": False}) as connection:
        unsteady = {name for (name,) in connection.execute(_UNSTEADY).fetchall()}
        macros = connection.execute(_MACROS).fetchall()
    refused = {**dict.fromkeys(unsteady - _HARMLESS, _TWICE), **_NAMED}
    before = -1
    while before != len(refused):  # a macro may call another
        before = len(refused)
        for name, definition in macros:
            words = re.findall(r"\w+", definition)
            if any(word in refused or word.startswith("duckdb_") for word in words) and name not in _HARMLESS:
                refused.setdefault(name, _OUTSIDE)
    return refused
