"""The online store: the bytes of keys and rows, and the adapters that keep them (docs/reference/store.md)."""

from store_adapters.arrival import clamp_event_time
from store_adapters.errors import Corrupt, CorruptKey, CorruptRow
from store_adapters.keys import KeyCodec, KeyValue, decode_key, encode_key
from store_adapters.model import (
    Column,
    Lane,
    Layout,
    Row,
    RowHeader,
    RowWrite,
    Watermark,
    WriteResult,
)
from store_adapters.protocol import Description, Store
from store_adapters.reading import Gap, values_as, widens
from store_adapters.row_codec import RowCodec, decode_row, encode_row, row_codec
from store_adapters.row_header import decode_header, order_key, same_content
from store_adapters.url import is_read_only, open_store

__all__ = [
    "Column",
    "Corrupt",
    "CorruptKey",
    "CorruptRow",
    "Description",
    "Gap",
    "KeyCodec",
    "KeyValue",
    "Lane",
    "Layout",
    "Row",
    "RowCodec",
    "RowHeader",
    "RowWrite",
    "Store",
    "Watermark",
    "WriteResult",
    "clamp_event_time",
    "decode_header",
    "decode_key",
    "decode_row",
    "encode_key",
    "encode_row",
    "is_read_only",
    "open_store",
    "order_key",
    "row_codec",
    "same_content",
    "values_as",
    "widens",
]
