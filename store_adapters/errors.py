"""What the codecs raise for bytes that nobody of ours wrote."""


class Corrupt(Exception):
    """Stored bytes that cannot be read; ``reason`` says what is wrong with them, in a few words.

    Outside the family of kernel errors on purpose: whoever reads a store turns it into a verdict for the
    values concerned, and never into an answer about the request.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CorruptRow(Corrupt):
    """A row that fails its checksum or breaks the row format."""


class CorruptKey(Corrupt):
    """A key that breaks the entity key format."""


class CorruptValue(Corrupt):
    """Bytes that are no protobuf message that Feast writes, and no time of it."""
