"""MurmurHash3 with seed 0, by which Feast names fields (32 bits) and items (x64, 128 bits)."""

_MASK32 = 2**32 - 1
_MASK64 = 2**64 - 1
_SCALE1 = 0x87C37B91114253D5
_SCALE2 = 0x4CF5AD432745937F


def murmur3_32(data: bytes) -> int:
    """Return the hash of 32 bits."""
    hashed, whole = 0, len(data) - len(data) % 4
    for start in range(0, whole, 4):
        hashed ^= _scrambled32(int.from_bytes(data[start : start + 4], "little"))
        hashed = (_rotated(hashed, 13, 32) * 5 + 0xE6546B64) & _MASK32
    if whole < len(data):
        hashed ^= _scrambled32(int.from_bytes(data[whole:], "little"))
    hashed ^= len(data)
    hashed = ((hashed ^ hashed >> 16) * 0x85EBCA6B) & _MASK32
    hashed = ((hashed ^ hashed >> 13) * 0xC2B2AE35) & _MASK32
    return hashed ^ hashed >> 16


def murmur3_128(data: bytes) -> bytes:
    """Return the hash of 128 bits, as Feast's library gives it."""
    first = second = 0
    whole = len(data) - len(data) % 16
    for start in range(0, whole, 16):
        first ^= _scrambled64(int.from_bytes(data[start : start + 8], "little"), _SCALE1, 31, _SCALE2)
        first = ((_rotated(first, 27, 64) + second) * 5 + 0x52DCE729) & _MASK64
        second ^= _scrambled64(int.from_bytes(data[start + 8 : start + 16], "little"), _SCALE2, 33, _SCALE1)
        second = ((_rotated(second, 31, 64) + first) * 5 + 0x38495AB5) & _MASK64
    second ^= _scrambled64(int.from_bytes(data[whole + 8 :], "little"), _SCALE2, 33, _SCALE1)
    first ^= _scrambled64(int.from_bytes(data[whole : whole + 8], "little"), _SCALE1, 31, _SCALE2)
    first, second = first ^ len(data), second ^ len(data)
    first = (first + second) & _MASK64
    second = (second + first) & _MASK64
    first, second = _finished(first), _finished(second)
    first = (first + second) & _MASK64
    second = (second + first) & _MASK64
    return first.to_bytes(8, "little") + second.to_bytes(8, "little")


def _scrambled32(word: int) -> int:
    return _rotated(word * 0xCC9E2D51 & _MASK32, 15, 32) * 0x1B873593 & _MASK32


def _scrambled64(word: int, scale: int, by: int, other: int) -> int:
    return _rotated(word * scale & _MASK64, by, 64) * other & _MASK64


def _rotated(word: int, by: int, bits: int) -> int:
    return (word << by | word >> (bits - by)) & ((1 << bits) - 1)


def _finished(word: int) -> int:
    word = ((word ^ word >> 33) * 0xFF51AFD7ED558CCD) & _MASK64
    word = ((word ^ word >> 33) * 0xC4CEB9FE1A85EC53) & _MASK64
    return word ^ word >> 33
