"""The embedded broker under many producers and consumers."""

import shutil
import threading

import pytest
from kombu import Connection, Queue
from kombu.exceptions import OperationalError

from controlplane.project import file_broker

QUEUE = Queue("judge", routing_key="judge")


@pytest.fixture
def options(tmp_path):
    file_broker.install()
    for name in ("queue", "processed", "control"):
        (tmp_path / name).mkdir()
    return {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "processed_folder": str(tmp_path / "processed"),
        "control_folder": str(tmp_path / "control"),
        "polling_interval": 0.001,
    }


def connect(options):
    return Connection(f"{file_broker.SCHEME}://localhost//", transport_options=options)


def put(options, *numbers):
    with connect(options) as connection, connection.SimpleQueue(QUEUE) as queue:
        for number in numbers:
            queue.put({"number": number})


def take_all(options, into, done):
    with connect(options) as connection, connection.SimpleQueue(QUEUE) as queue:
        while True:
            try:
                message = queue.get(block=True, timeout=0.2)
            except queue.Empty:
                if done.is_set():
                    return
                continue
            into.append(message.payload["number"])
            message.ack()


def test_every_message_comes_whole_and_once_however_many_put_and_take(options):
    put(options)  # the queue is declared
    taken, done, failed = [], threading.Event(), []

    def run(call, *arguments):
        try:
            call(*arguments)
        except (ValueError, OSError, OperationalError) as wrong:
            failed.append(wrong)

    takers = [threading.Thread(target=run, args=(take_all, options, taken, done)) for _ in range(3)]
    putters = [
        threading.Thread(target=run, args=(put, options, *range(first, first + 200)))
        for first in (0, 200, 400)
    ]
    for thread in [*takers, *putters]:
        thread.start()
    for thread in putters:
        thread.join()
    done.set()
    for thread in takers:
        thread.join()
    assert failed == []
    assert sorted(taken) == list(range(600))


def test_what_cannot_be_read_is_dropped_and_the_next_is_taken(options, tmp_path):
    put(options)
    (tmp_path / "queue" / "0_a.judge.msg").write_text("")
    (tmp_path / "queue" / "0_b.judge.msg").write_text('{"half')
    put(options, 7)
    taken, done = [], threading.Event()
    done.set()
    take_all(options, taken, done)
    assert taken == [7]
    assert list((tmp_path / "queue").iterdir()) == []
    assert list((tmp_path / "processed").iterdir()) == []


def test_folders_that_are_gone_are_made_anew(options, tmp_path):
    shutil.rmtree(tmp_path / "queue")
    put(options, 7)
    assert len(list((tmp_path / "queue").iterdir())) == 1


def test_folders_that_cannot_be_used_are_a_broker_that_does_not_answer(options, tmp_path):
    with connect(options) as connection:
        queue = connection.SimpleQueue(QUEUE)
        (tmp_path / "queue").rename(tmp_path / "away")
        (tmp_path / "queue").touch()
        with pytest.raises(connection.connection_errors):
            queue.put({"number": 7})
        with pytest.raises(connection.connection_errors):
            queue.get(block=False)
    with connect(options) as again, pytest.raises(OperationalError):
        again.ensure_connection(max_retries=1, timeout=2)
    (tmp_path / "queue").unlink()
    (tmp_path / "away").rename(tmp_path / "queue")
    put(options, 7)
