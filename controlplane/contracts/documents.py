"""How a record becomes a part of a definition file."""

from controlplane.contracts.values import render_timestamp, to_json
from controlplane.kernel.dtypes import Dtype, Value

Document = dict[str, object]


def present(**fields: object) -> Document:
    """Return the fields that say something: those that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def literal(dtype: Dtype, value: Value) -> object:
    """Return ``value`` as a person would write it in a definition file."""
    if dtype.element is Dtype.TIMESTAMP and value is not None:
        if isinstance(value, list):
            return [literal(dtype.element, item) for item in value]
        assert isinstance(value, int)
        return render_timestamp(value)
    return to_json(dtype, value)
