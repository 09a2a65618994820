"""Entities of a definition file."""

from controlplane.contracts.definition.reading import Fields, shown
from controlplane.contracts.model import Entity, JoinKey
from controlplane.kernel.dtypes import KEY_DTYPES, Dtype

# A posted row has these beside its join keys and features.
RESERVED_NAMES = frozenset({"event_time"})
# The join key of Feast's views without an entity; its one value is the empty text, and no caller says it.
NO_ENTITY_KEY = "__dummy_id"


def read_entity(fields: Fields) -> Entity:
    entity = Entity(
        name=fields.name(),
        join_keys=tuple(
            _read_join_key(fields.inner(raw, path=path, what="join key"))
            for path, raw in fields.items("join_keys", expected="join keys, each {name, dtype}")
        ),
        owner=fields.optional_name("owner", what="team"),
        description=fields.description(),
    )
    seen: set[str] = set()
    for index, key in enumerate(entity.join_keys):
        path = f"{fields.at('join_keys')}[{index}].name"
        if key.name and key.name in seen:
            fields.problems.add(path, "duplicate", f"{entity.name} has two join keys named {key.name}")
        if key.name in RESERVED_NAMES:
            fields.problems.add(path, "reserved_name", f"{key.name} cannot be a join key: rows use that name")
        seen.add(key.name)
    fields.done()
    return entity


def _read_join_key(fields: Fields) -> JoinKey:
    raw = fields.raw("dtype")
    nobodys = (fields.raw("name"), raw) == (NO_ENTITY_KEY, Dtype.STRING.value)
    name = NO_ENTITY_KEY if nobodys else fields.name()
    dtype = next((dtype for dtype in KEY_DTYPES if dtype.value == raw), None)
    if dtype is None:
        allowed = ", ".join(sorted(KEY_DTYPES))
        if raw is None:
            fields.missing("dtype", f"one of {allowed}")
        else:
            fields.wrong("dtype", f"{shown(raw)} cannot type a join key: one of {allowed}", code="bad_dtype")
    fields.done()
    return JoinKey(name=name, dtype=dtype or Dtype.STRING)
