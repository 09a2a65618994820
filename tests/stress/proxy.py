"""A TCP proxy that behaves badly on demand: it stands between serving and its store."""

import asyncio
import contextlib
import threading
from enum import StrEnum

from tools import ports


class Fault(StrEnum):
    NONE = "none"
    SLOW = "slow"  # every piece of an answer comes later
    HANG = "hang"  # connections are taken, commands too, and nothing is answered
    CUT = "cut"  # connections end in the middle of an answer
    REFUSE = "refuse"  # connections are reset, new ones as well


_PIECE = 65_536


class Proxy:
    """Passes bytes on to ``target`` (a port of the loopback), under the fault in force."""

    def __init__(self, target: int, *, delay: float = 0.08) -> None:
        self.target, self.delay = target, delay
        (self.port,) = ports.find_free(1)
        self._fault = Fault.NONE
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", self.port))

    def set(self, fault: Fault) -> None:
        """Put a fault in force, for open connections and new ones."""
        self._call(self._set(fault))

    def close(self) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    async def _set(self, fault: Fault) -> None:
        was, self._fault = self._fault, fault
        # What hung has lost bytes on the way: it can only be ended.
        if fault is Fault.REFUSE or was is Fault.HANG:
            self._reset()

    def _reset(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        self._reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # one of the two has gone; the other is told below
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault is Fault.REFUSE:
            return
        behind, towards = await asyncio.open_connection("127.0.0.1", self.target)
        asking = asyncio.create_task(self._pass(reader, towards, answers=False))
        answering = asyncio.create_task(self._pass(behind, writer, answers=True))
        try:
            await asyncio.wait([asking, answering], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (asking, answering):
                task.cancel()
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await task
            towards.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        while data := await reader.read(_PIECE):
            if self._fault is Fault.HANG:
                continue
            if answers and self._fault is Fault.SLOW:
                await asyncio.sleep(self.delay)
            if answers and self._fault is Fault.CUT and len(data) > 64:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                return
            writer.write(data)
            await writer.drain()
