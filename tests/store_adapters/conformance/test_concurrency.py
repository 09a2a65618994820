"""Conditional writes by many at once, on every store."""

import multiprocessing
import random
import threading
from collections.abc import Sequence

from store_adapters import RowWrite, Store, WriteResult, open_store
from tests.store_adapters.conformance.backdoors import Backdoor
from tests.store_adapters.stories import NOW, key_of, packed, write_of

KEYS = 7
WRITERS = 4
ROUNDS = 12


def _writes_of(writer: int) -> list[list[RowWrite]]:
    """Batches of one writer: every key in each, at times that interleave with the other writers'."""
    chance = random.Random(writer)
    times = [NOW + round_ * WRITERS + writer for round_ in range(ROUNDS)]
    chance.shuffle(times)
    return [
        [write_of(key, packed(float(at - NOW), f"w{writer}", at=at, run=writer + 1)) for key in range(KEYS)]
        for at in times
    ]


def _newest() -> list[bytes]:
    last = NOW + ROUNDS * WRITERS - 1
    return [packed(float(last - NOW), f"w{WRITERS - 1}", at=last, run=WRITERS)] * KEYS


def _write_all(store: Store, project: str, writer: int) -> None:
    for batch in _writes_of(writer):
        store.write_rows(project, "v", batch, run_number=writer + 1)


def _read(store: Store, project: str) -> Sequence[bytes | None]:
    return store.read_rows(project, "v", [key_of(key) for key in range(KEYS)])


def test_threads_sharing_a_store_leave_the_newest_rows(store: Store, project: str):
    threads = [
        threading.Thread(target=_write_all, args=(store, project, writer)) for writer in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _read(store, project) == _newest()


def _in_a_process(url: str, project: str, writer: int) -> None:
    store = open_store(url)
    _write_all(store, project, writer)
    store.close()


def test_processes_leave_the_newest_rows(store: Store, backdoor: Backdoor, project: str):
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_in_a_process, args=(backdoor.url, project, writer))
        for writer in range(WRITERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * WRITERS
    assert _read(store, project) == _newest()


def test_a_store_used_before_a_fork_works_on_both_sides(store: Store, project: str):
    _write_all(store, project, 0)
    context = multiprocessing.get_context("fork")
    children = [
        context.Process(target=_write_all, args=(store, project, writer)) for writer in range(1, WRITERS)
    ]
    for child in children:
        child.start()
    _write_all(store, project, 0)
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * len(children)
    assert _read(store, project) == _newest()


def test_of_one_row_many_writers_write_exactly_one(store: Store, project: str):
    """Equal content from different runs: one wrote it, the others hear that nothing changed."""
    results: list[WriteResult] = []
    start = threading.Barrier(WRITERS)

    def write(run: int) -> None:
        start.wait()
        results.extend(store.write_rows(project, "v", [write_of(1, packed(run=run))], run_number=run))

    threads = [threading.Thread(target=write, args=(run,)) for run in range(1, WRITERS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [WriteResult.UNCHANGED] * (WRITERS - 1) + [WriteResult.WRITTEN]


def test_views_written_at_once_do_not_wipe_each_other(store: Store, project: str):
    def write(view: str) -> None:
        for at in range(20):
            store.write_rows(
                project, view, [write_of(1, packed(float(at), view, at=NOW + at))], run_number=at
            )

    threads = [threading.Thread(target=write, args=(f"v{number}",)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(WRITERS):
        assert store.read_rows(project, f"v{number}", [key_of(1)]) == [
            packed(19.0, f"v{number}", at=NOW + 19)
        ]


def test_a_closed_store_opens_again_when_used(store: Store, project: str):
    _write_all(store, project, WRITERS - 1)
    store.close()
    assert _read(store, project) == _newest()
    store.close()
    store.close()
