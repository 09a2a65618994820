"""The process that reads batch sources: ``python -m controlplane.ingestion.engines.duckdb_child FOLDER``.

It gets one job as a line of JSON on stdin, works in its private folder, writes RESULT there, and ends. It has
no credentials, no settings, and limits that it sets itself before it looks at anything.
"""

import json
import os
import resource
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from controlplane.ingestion.engines.duckdb_comparing import amend_manifest, compare, make_manifest
from controlplane.ingestion.engines.duckdb_reading import open_engine, read_sources, write_rows
from controlplane.ingestion.engines.jobs import RESULT, AmendJob, CompareJob, EngineFailure, ManifestJob
from controlplane.kernel.errors import Refused

# Address space that libraries and thread stacks take before the first row is read.
_BASE_MB = 3_072


def main() -> None:
    folder = Path(sys.argv[1])
    document = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(document["limits"])
    try:
        answer: dict[str, Any] = {"done": _OPERATIONS[document["operation"]](folder, document)}
    except EngineFailure as failure:
        answer = {"error": [failure.code, failure.message, failure.source, failure.column]}
    except Refused as refused:
        answer = {"error": [refused.code, refused.detail, None, None]}
    except (duckdb.OutOfMemoryException, MemoryError) as wrong:
        answer = {"error": ["sql_limit", f"out of memory or disk: {str(wrong)[:300]}", None, None]}
    except duckdb.Error as wrong:
        answer = {"error": ["source_unreadable", str(wrong)[:400], None, None]}
    (folder / RESULT).write_text(json.dumps(answer))


def _compare(folder: Path, document: dict[str, Any]) -> dict[str, Any]:
    job = CompareJob.from_document(document)
    with open_engine(folder, job) as connection:
        shown = read_sources(connection, job)
        seconds = write_rows(connection, folder, job)
    return asdict(compare(folder, job, shown, read_seconds=seconds))


def _manifest(folder: Path, document: dict[str, Any]) -> dict[str, Any]:
    return {"keys": make_manifest(folder, ManifestJob.from_document(document))}


def _amend(folder: Path, document: dict[str, Any]) -> dict[str, Any]:
    return {"keys": amend_manifest(folder, AmendJob.from_document(document))}


def _limit(limits: dict[str, int]) -> None:
    space = (limits["memory_mb"] + _BASE_MB) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    disk = limits["temp_mb"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_FSIZE, (disk, disk))


def _end_with_parent() -> None:
    """End when the pipe from the parent closes: a killed worker must not leave its reader behind."""
    sys.stdin.read()
    os._exit(3)


_OPERATIONS = {"compare": _compare, "manifest": _manifest, "amend": _amend}

if __name__ == "__main__":
    main()
