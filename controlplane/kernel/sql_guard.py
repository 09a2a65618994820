"""Which SQL a definition may hold: one SELECT over its own sources, the same at every reading of them.

This is one of two fences. The other is the engine's own (no files but the source's, no network, limits); it
was measured to let ``COPY ... (use_tmp_file false)`` overwrite a source, so that neither is optional.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import duckdb

from controlplane.kernel import sql_functions
from controlplane.kernel.errors import Refused

AS_OF = "as_of"
MAX_QUERY = 100_000
# Functions that make rows of nothing. Every other table function can open something.
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# The engine calls INSTALL by the name of LOAD, and PIVOT by no name that anybody typed.
_MISNAMED = ("LOAD", "MULTI")
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.S)


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query that may run: ``sql`` without its closing semicolon."""

    sql: str
    uses_as_of: bool


def check_query(query: str, *, tables: Collection[str]) -> CheckedQuery:
    """Return the query if it is one SELECT over ``tables`` (the names of its sources); else ``Refused``."""
    if len(query) > MAX_QUERY:
        raise _refused(f"it is longer than {MAX_QUERY} characters")
    statement = _only_statement(query)
    foreign = sorted(name for name in statement.named_parameters if name != AS_OF)
    if foreign:
        raise _refused(f"${foreign[0]} is no parameter; there is only ${AS_OF}")
    sql = statement.query.strip().rstrip(";").rstrip()
    _check_tree(_tree_of(sql), {table.lower() for table in tables})
    return CheckedQuery(sql, uses_as_of=AS_OF in statement.named_parameters)


def _only_statement(query: str) -> duckdb.Statement:
    try:
        statements = duckdb.extract_statements(query)
    except (duckdb.Error, RuntimeError, UnicodeError) as wrong:
        raise _refused(str(wrong).splitlines()[0]) from wrong
    if len(statements) != 1:
        raise _refused(f"it holds {len(statements)} statements, and must be exactly one SELECT")
    (statement,) = statements
    if statement.type != duckdb.StatementType.SELECT:
        kind, begins = statement.type.name, _FIRST_WORD.match(statement.query)
        if kind in _MISNAMED and begins:
            kind = begins[1].upper()
        raise _refused(f"its statement is {kind}, and must be exactly one SELECT")
    return statement


def _tree_of(sql: str) -> object:
    with duckdb.connect(":memory:", config={"autoload_known_extensions": False}) as connection:
        row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    if tree.get("error"):
        raise _refused(tree.get("error_message", "it cannot be parsed"))
    return tree["statements"]


def _check_tree(tree: object, tables: set[str]) -> None:
    nodes = list(_nodes(tree))
    known = tables | {name for node in nodes for name in _common_tables(node)}
    for node in nodes:
        kind = node.get("type")
        if kind == "SHOW_REF":
            raise _refused("DESCRIBE, SHOW and SUMMARIZE read no rows of a source")
        if kind == "BASE_TABLE":
            _check_table(node, known)
        if kind == "TABLE_FUNCTION":
            function = node.get("function")
            name = str(function.get("function_name", "") if isinstance(function, dict) else "").lower()
            if name not in _TABLE_FUNCTIONS:
                raise _refused(f"{name}() opens what is no source of this view")
        if node.get("sample"):
            raise _refused("a sample is not the same twice")
        _check_function(node)
        _check_word(node)


def _check_table(node: dict[str, object], known: set[str]) -> None:
    name = str(node.get("table_name", ""))
    if node.get("schema_name") or node.get("catalog_name") or name.lower() not in known:
        allowed = ", ".join(sorted(known)) or "none"
        raise _refused(f"{name!r} is no source of this view; it reads from: {allowed}")


def _check_function(node: dict[str, object]) -> None:
    name = str(node.get("function_name") or "").lower()
    arguments = node.get("arguments")
    why = sql_functions.why_refused(name, len(arguments) if isinstance(arguments, list) else 0)
    if why:
        raise _refused(f"{name}() {why}")


def _check_word(node: dict[str, object]) -> None:
    """``current_timestamp`` without parentheses parses as a column, unless it is quoted or qualified."""
    names = node.get("column_names")
    if node.get("class") == "COLUMN_REF" and isinstance(names, list) and len(names) == 1:
        word = str(names[0]).lower()
        if word in sql_functions.WORDS:
            raise _refused(f"{word} {sql_functions.why_refused(word, 0)}")


def _common_tables(node: dict[str, object]) -> Iterator[str]:
    common = node.get("cte_map")
    entries = common.get("map", []) if isinstance(common, dict) else []
    for entry in entries if isinstance(entries, list) else []:
        yield str(entry.get("key", "")).lower()


def _nodes(tree: object) -> Iterator[dict[str, object]]:
    """Yield every object of the tree; without recursion, which a deeply nested query would exhaust."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _refused(why: str) -> Refused:
    return Refused("bad_sql", f"the query cannot be used: {why}")
