"""Writes the rows, again and again, and knows which generations an answer may show."""

import threading
import time

from controlplane.kernel.errors import Unavailable
from store_adapters import Lane, Watermark, open_store
from tests.stress import story

_AT_ONCE = 24


class Writer(threading.Thread):
    """Rewrites all keys in turn, and moves the watermarks."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._store = open_store(url)
        self._done = threading.Event()
        self._entities = {
            view: (range(story.KEYS) if view == "places" else story.keys()) for view in story.VIEWS
        }
        # By (view, key): the last generation that the store has taken, and the last that was sent.
        self.taken = {(view, key): 0 for view, keys in self._entities.items() for key in keys}
        self.sent = dict(self.taken)
        self.failed = self.written = 0
        self._mark()
        for view, entities in self._entities.items():
            self._write(view, list(entities))

    def run(self) -> None:
        turn = 0
        while not self._done.wait(0.01):
            view = list(self._entities)[turn % len(self._entities)]
            entities = list(self._entities[view])
            begin = (turn * _AT_ONCE) % len(entities)
            try:
                self._mark()
                self._write(view, entities[begin : begin + _AT_ONCE])
            except Unavailable:
                self.failed += 1
            turn += 1

    def stop(self) -> None:
        self._done.set()
        self.join()
        self._store.close()

    def _mark(self) -> None:
        for view in ("facts", "marked"):
            self._store.write_watermark(story.PROJECT, view, Lane.BATCH, Watermark(1, time.time_ns() // 1000))

    def _write(self, view: str, entities: list) -> None:
        now_us = time.time_ns() // 1000
        writes = []
        for key in entities:
            self.sent[view, key] += 1
            writes.append(story.write_of(view, key, self.sent[view, key], now_us=now_us))
        self._store.write_rows(story.PROJECT, view, [one for one in writes if one], run_number=now_us)
        for key in entities:
            self.taken[view, key] = self.sent[view, key]
        self.written += len(writes)
