"""Entities: their join keys get the types that the views give them."""

from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.contracts.definition.entities import NO_ENTITY_KEY, read_entity
from controlplane.contracts.model import Entity, JoinKey
from controlplane.registry.importers.feast import records
from controlplane.registry.importers.feast.naming import LegalNames, described, leave_tags
from controlplane.registry.importers.feast.records import NO_ENTITY, ValueType, View
from controlplane.registry.importers.feast.remarks import Remarks
from controlplane.registry.importers.feast.rules import why_refused

# Feast keeps it without a type; it is a text.
_NO_ENTITY = records.Entity(NO_ENTITY, join_key=NO_ENTITY_KEY, type=ValueType(2))


@dataclass(frozen=True, slots=True)
class CannotKey(Exception):
    """A view has keys that cannot be said here; ``reason`` says which and why."""

    reason: str


class Entities:
    """The entities of a project, and the type of each one's join key once a view has told it.

    Feast keeps types of join keys with each view; here an entity has one.
    """

    def __init__(self, found: tuple[records.Entity, ...], teams: LegalNames, remarks: Remarks) -> None:
        self._found = {each.name: each for each in found} | {NO_ENTITY: _NO_ENTITY}
        self._names = LegalNames(self._found, what="entity")
        self._teams = teams
        self._remarks = remarks
        self._carried: dict[str, Entity] = {}

    def keys_of(self, view: View) -> dict[str, JoinKey]:
        """Return the view's join keys by Feast's names of their entities; ``CannotKey`` if one has none."""
        named = dict.fromkeys(view.entities or (NO_ENTITY,))
        types = {column.name: column.type for column in view.entity_columns}
        return {name: self._key(name, types) for name in named}

    def carry(self, keys: Mapping[str, JoinKey]) -> tuple[str, ...]:
        """Take over the entities of what ``keys_of`` returned; returns their names here."""
        for name, key in keys.items():
            if name not in self._carried:
                self._carried[name] = self._entity(self._found[name], key)
        return tuple(self._carried[name].name for name in keys)

    def carried(self) -> tuple[Entity, ...]:
        """Return every entity that can be said, be it of no view."""
        for name in sorted(self._found.keys() - self._carried - {NO_ENTITY}):
            try:
                self.carry({name: self._key(name, {})})
            except CannotKey as why:
                self._remarks.leave("entity", name, why.reason)
        return tuple(self._carried[name] for name in sorted(self._carried))

    def _key(self, name: str, types: Mapping[str, ValueType]) -> JoinKey:
        found = self._found.get(name)
        if found is None:
            raise CannotKey(f"its entity {name} is not in the registry")
        told = types.get(found.join_key, found.type)
        if not told.is_known:
            raise CannotKey(f"no view that is carried over tells the type of the join key {found.join_key}")
        if told.dtype is None:
            raise CannotKey(f"the join key {found.join_key} is of the type {told}")
        key = JoinKey(found.join_key, told.dtype)
        known = self._carried.get(name)
        if known is not None and known.join_keys != (key,):
            typed = known.join_keys[0].dtype
            raise CannotKey(f"the join key {key.name} is {key.dtype} in it, and {typed} in another view")
        refused = why_refused(Entity("entity", (key,)).to_document(), read_entity, what="entity")
        if refused:
            raise CannotKey(refused)
        return key

    def _entity(self, found: records.Entity, key: JoinKey) -> Entity:
        leave_tags("entity", found.name, found.tags, self._remarks)
        return Entity(
            name=self._names.of(found.name, self._remarks),
            join_keys=(key,),
            owner=self._teams.owner(found, self._remarks),
            description=described("entity", found, self._remarks),
        )
