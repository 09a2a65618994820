"""A worker that cannot work any more ends."""

from types import SimpleNamespace

import pytest

from controlplane.project.liveness import EndWithoutChild


@pytest.fixture
def worker():
    """A worker with two children, whose timer is turned by hand."""
    calls = []
    timer = SimpleNamespace(call_repeatedly=lambda _seconds, call, arguments: calls.append((call, arguments)))
    pool = SimpleNamespace(info={"processes": [11, 12]})
    made = SimpleNamespace(hostname="stream@here", timer=timer, pool=pool)
    made.turn = lambda: [call(*arguments) for call, arguments in calls]
    return made


@pytest.fixture
def ended(worker):
    ended = []
    EndWithoutChild(worker, end=ended.append).start(worker)
    return ended


def test_a_worker_ends_when_one_of_its_processes_was_replaced(worker, ended):
    worker.turn()
    assert ended == []
    worker.pool.info = {"processes": [11, 13]}
    worker.turn()
    assert ended == [70]


def test_a_worker_ends_while_the_dead_process_is_not_replaced_yet(worker, ended):
    worker.pool.info = {"processes": [12]}
    worker.turn()
    assert ended == [70]


def test_a_pool_that_grew_has_lost_nobody(worker, ended):
    worker.pool.info = {"processes": [11, 12, 13]}
    worker.turn()
    assert ended == []
