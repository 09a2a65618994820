"""Numbers in addresses."""

from django.urls.converters import IntConverter

# What the databases take for the key of a row.
LARGEST_ID = 2**63 - 1


class IdConverter(IntConverter):
    """``<id:name>``: the number of a thing. At one that no database could give there is nothing."""

    def to_python(self, value: str) -> int:
        # Python itself refuses to read thousands of digits; that is a ValueError as well.
        number = int(value)
        if number > LARGEST_ID:
            raise ValueError(value)
        return number
