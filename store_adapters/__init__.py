"""The online store: the bytes of keys and rows, and the adapters that keep them (docs/reference/store.md)."""

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
from store_adapters.row_codec import RowCodec, decode_row, encode_row, row_codec
from store_adapters.row_header import decode_header, order_key, same_content

__all__ = [
    "Column",
    "Corrupt",
    "CorruptKey",
    "CorruptRow",
    "KeyCodec",
    "KeyValue",
    "Lane",
    "Layout",
    "Row",
    "RowCodec",
    "RowHeader",
    "RowWrite",
    "Watermark",
    "WriteResult",
    "decode_header",
    "decode_key",
    "decode_row",
    "encode_key",
    "encode_row",
    "order_key",
    "row_codec",
    "same_content",
]
