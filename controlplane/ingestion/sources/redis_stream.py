"""Redis Streams. The cursor in our database is the truth; the consumer group there only informs people."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from controlplane.ingestion.domain.streaming import redis_position
from controlplane.ingestion.sources.stream import Chunk, Cursor, Event, Gap
from controlplane.kernel.errors import Unavailable

PARTITION = "0"
_START = "0-0"
_TIMEOUT_SECONDS = 5.0
_MAX_PAYLOAD = 1_048_576
# An entry with one of these fields carries its JSON there; any other entry is its fields.
_PAYLOAD_FIELDS = ("payload", "data", "value", "json", "message")


class RedisStream:
    """Reads one stream key. ``group`` names the consumer group that shows how far we are."""

    def __init__(self, url: str, key: str, *, group: str) -> None:
        self._client = _client(url)
        self._key = key
        self._group = group

    def partitions(self) -> list[str]:
        return [PARTITION]

    def read(self, partition: str, cursor: Cursor | None, *, limit: int, skip_gap: bool) -> Chunk:
        after = _START if cursor is None else str(cursor["id"])
        entries, info, read_us = self._fetch(after, limit)
        lost = _what_is_lost(cursor, info)
        if lost is not None:
            if not skip_gap:
                raise Gap(lost)
            # From the oldest that is left: in a stream that was made anew, the ids begin below the cursor.
            after, cursor = _START, None
            entries, info, read_us = self._fetch(after, limit)
        trimmed = info["entries_added"] - info["length"]
        ordinal = trimmed if cursor is None else int(cursor["ordinal"])
        events = tuple(_event(identity, fields) for identity, fields in entries)
        last = _text(entries[-1][0]) if entries else after
        is_at_end = _parse(last) >= _parse(info["last_id"])
        # At the end the count is known for certain, whatever was deleted in the middle meanwhile.
        ordinal = info["entries_added"] if is_at_end else ordinal + len(events)
        return Chunk(
            events=events,
            cursor={"id": last, "ordinal": ordinal},
            is_at_end=is_at_end,
            read_us=read_us,
            # More events of the same millisecond may be left.
            consumed_us=events[-1].arrival_us - 1 if events else None,
            newest_arrival_us=_parse(info["last_id"])[0] * 1_000 if info["last_id"] != _START else None,
            lag=max(0, info["entries_added"] - ordinal),
        )

    def acknowledge(self, partition: str, cursor: Cursor) -> None:
        """Move the group's mark. Rights or an old server may forbid it: nothing depends on it."""
        with suppress(RedisError):
            try:
                self._client.xgroup_setid(self._key, self._group, str(cursor["id"]))
            except ResponseError:
                self._client.xgroup_create(self._key, self._group, id=str(cursor["id"]))

    def _fetch(
        self, after: str, limit: int
    ) -> tuple[list[tuple[bytes, Mapping[bytes, bytes]]], dict[str, Any], int]:
        """Return entries, what the stream says of itself, and the broker's time: all of one instant."""
        try:
            if not self._client.exists(self._key):
                return [], _no_stream(), self._broker_us()
            with self._client.pipeline(transaction=True) as pipe:
                pipe.time()
                pipe.xrange(self._key, min=f"({after}", count=limit)
                pipe.xinfo_stream(self._key)
                (seconds, micros), entries, info = pipe.execute()
        except RedisError as wrong:
            raise Unavailable("unavailable", f"the stream {self._key!r} does not answer: {wrong}") from wrong
        return entries or [], _stream_info(info), int(seconds) * 1_000_000 + int(micros)

    def _broker_us(self) -> int:
        seconds, micros = self._client.time()
        return int(seconds) * 1_000_000 + int(micros)


def _what_is_lost(cursor: Cursor | None, info: Mapping[str, Any]) -> str | None:
    if cursor is None:
        return None
    mine, last = _parse(str(cursor["id"])), _parse(info["last_id"])
    if last < mine:
        return f"the stream ends at {info['last_id']}, before the cursor {cursor['id']}: it was made anew"
    if mine == last:
        return None
    first = info["first_id"]
    is_behind = first is None or _parse(first) > mine
    trimmed = info["entries_added"] - info["length"]
    if is_behind and trimmed > int(cursor["ordinal"]):
        lost = trimmed - int(cursor["ordinal"])
        return f"about {lost} events after {cursor['id']} were trimmed; the oldest left is {first or 'none'}"
    return None


def _event(identity: bytes, fields: Mapping[bytes, bytes] | None) -> Event:
    name = _text(identity)
    milliseconds, sequence = _parse(name)
    payload, is_flat, fault = _payload(fields or {})
    if len(payload) > _MAX_PAYLOAD:
        payload, fault = (
            payload[:1_000],
            f"the event has {len(payload)} characters, at most {_MAX_PAYLOAD} are read",
        )
    place = f"{PARTITION}:{name}"
    return Event(place, redis_position(milliseconds, sequence), payload, milliseconds * 1_000, is_flat, fault)


def _payload(fields: Mapping[bytes, bytes]) -> tuple[str, bool, str | None]:
    try:
        texts = {name.decode(): value.decode() for name, value in fields.items()}
    except UnicodeDecodeError as wrong:
        shown = {str(name): str(value) for name, value in fields.items()}
        return json.dumps(shown), True, f"the event is no UTF-8: {wrong.reason}"
    for name in _PAYLOAD_FIELDS:
        if name in texts and (len(texts) == 1 or texts[name].lstrip().startswith("{")):
            return texts[name], False, None
    return json.dumps(texts, ensure_ascii=False), True, None


def _stream_info(info: Mapping[Any, Any]) -> dict[str, Any]:
    said = {_text(name): value for name, value in info.items()}
    length = int(said["length"])
    first = said.get("first-entry")
    return {
        "length": length,
        # Servers before 7.0 do not count: then whatever lies behind the cursor is all that is known.
        "entries_added": int(said.get("entries-added", length)),
        "first_id": _text(first[0]) if first else None,
        "last_id": _text(said["last-generated-id"]),
    }


def _no_stream() -> dict[str, Any]:
    return {"length": 0, "entries_added": 0, "first_id": None, "last_id": _START}


def _parse(identity: str) -> tuple[int, int]:
    milliseconds, _, sequence = identity.partition("-")
    return int(milliseconds), int(sequence or 0)


def _text(value: Sequence[int] | bytes | str) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


@lru_cache(maxsize=32)
def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)
