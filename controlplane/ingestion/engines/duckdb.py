"""Running the reading process: start it, watch it, stop it at its limits, read what it found."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from controlplane.ingestion.engines.duckdb_comparing import amend_manifest, make_manifest
from controlplane.ingestion.engines.jobs import (
    NEXT_MANIFEST,
    RESULT,
    STAGE,
    AmendJob,
    Compared,
    CompareJob,
    EngineFailure,
    ManifestJob,
)

_HERE_KEYS = 1_000_000
_ROOT = Path(__file__).resolve().parents[3]
_STDERR = "stderr.txt"
_LOOK_SECONDS = 0.05
_BEAT_SECONDS = 2.0


def compare_sources(
    folder: Path, job: CompareJob, *, timeout: timedelta, beat: Callable[[], None]
) -> Compared:
    """Read and compare in a process of its own. ``beat`` is called every 2 s and may raise to stop it.

    Raises ``EngineFailure``. The files of ``jobs`` are in ``folder`` afterwards.
    """
    done = _run(folder, job.to_document(), timeout=timeout, beat=beat)
    return Compared.from_document(done)


def build_manifest(folder: Path, job: ManifestJob, *, timeout: timedelta, beat: Callable[[], None]) -> int:
    """Write the next manifest into ``folder``; return how many keys it holds.

    Only our own SQL over our own files. For as many keys as take seconds it is done right here: starting a
    process takes longer. More go to a process of their own, so that the lease is renewed meanwhile.
    """
    if pq.read_metadata(folder / STAGE).num_rows <= _HERE_KEYS:
        return make_manifest(folder, job)
    return int(_run(folder, job.to_document(), timeout=timeout, beat=beat)["keys"])


def rebuild_manifest(folder: Path, job: AmendJob, *, timeout: timedelta, beat: Callable[[], None]) -> int:
    """Write ``job.amended`` into ``folder``, here or in a process of its own as above; return its keys."""
    if pq.read_metadata(folder / NEXT_MANIFEST).num_rows <= _HERE_KEYS:
        return amend_manifest(folder, job)
    return int(_run(folder, job.to_document(), timeout=timeout, beat=beat)["keys"])


def _run(
    folder: Path, document: dict[str, Any], *, timeout: timedelta, beat: Callable[[], None]
) -> dict[str, Any]:
    result = folder / RESULT
    result.unlink(missing_ok=True)
    with (folder / _STDERR).open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "controlplane.ingestion.engines.duckdb_child", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
    try:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(document).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended before it read: what it left on stderr says why
        _wait(process, timeout=timeout, beat=beat)
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()
        for name in ("spill-query", "spill-compare"):
            shutil.rmtree(folder / name, ignore_errors=True)
    return _answer(result, process.returncode, folder / _STDERR)


def _wait(process: subprocess.Popen[bytes], *, timeout: timedelta, beat: Callable[[], None]) -> None:
    started = last_beat = time.monotonic()
    while process.poll() is None:
        now = time.monotonic()
        if now - started > timeout.total_seconds():
            raise EngineFailure("sql_limit", f"the query met its limit of time: {timeout}")
        if now - last_beat > _BEAT_SECONDS:
            beat()
            last_beat = now
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _answer(result: Path, returncode: int, stderr: Path) -> dict[str, Any]:
    if not result.exists():
        said = stderr.read_text(errors="replace")[-300:].strip()
        # No word of its own: the limits of the operating system end it with a signal, or midway.
        raise EngineFailure(
            "sql_limit", f"the reading process ended without a result (exit {returncode}): {said or 'killed'}"
        )
    answer: dict[str, Any] = json.loads(result.read_text())
    if "error" in answer:
        code, message, source, column = answer["error"]
        raise EngineFailure(code, message, source=source, column=column)
    done: dict[str, Any] = answer["done"]
    return done


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment without anything of ours: no URL of a database, no token, no key."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(_ROOT),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        # One pool that asks the system for what it needs, instead of reserving address space beforehand.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "4",
    }
