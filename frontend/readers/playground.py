"""What can be looked up, and one lookup through serving."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings

from controlplane.contracts.model import JoinKey
from controlplane.kernel.dtypes import Dtype
from controlplane.registry import selectors as registry
from controlplane.registry.selectors import ViewRecord
from frontend.readers.snippets import snippets
from frontend.records.playground import Choice, EntityResult, LookupResult, PlaygroundPage, ValueRow

MOST_ENTITIES = 20
_DEADLINE = httpx.Timeout(5, connect=1)
_SERVICE = "service:"
_INTEGERS = (Dtype.INT32, Dtype.INT64)


class BadKeys(Exception):
    """The keys as typed are not keys; the message says which line and what is expected."""


class TokenNeeded(Exception):
    """Serving wants a token, or another one; the message says which."""


class LookupFailed(Exception):
    """Serving did not answer with rows; the message says why."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form as filled in."""

    target: str = ""
    features: tuple[str, ...] = ()
    keys: str = ""
    token: str = field(default="", repr=False)  # used for this one lookup, and never written anywhere


@dataclass(frozen=True, slots=True)
class _Target:
    choice: Choice
    join_keys: tuple[JoinKey, ...]
    limits: Mapping[str, timedelta]
    dtypes: Mapping[tuple[str, str], str]

    def ask(self, features: Sequence[str]) -> dict[str, object]:
        if self.choice.value.startswith(_SERVICE):
            return {"feature_service": self.choice.value.removeprefix(_SERVICE)}
        chosen = [name for name in self.choice.features if not features or name in features]
        return {"features": [f"{self.choice.value}:{name}" for name in chosen]}


def read_playground(project: str, form: Form, *, may_lookup: bool, send: bool) -> PlaygroundPage:
    """Return the page; with ``send`` the lookup is made and its answer or failure told."""
    targets = _targets(project) if may_lookup else {}
    value = form.target if form.target in targets else next(iter(targets), "")
    result, error = None, ""
    wrong: tuple[tuple[str, str], ...] = ()
    if send and value:
        try:
            result = look_up(project, targets[value], form)
        except BadKeys as bad:
            wrong = (("keys", str(bad)),)
        except TokenNeeded as needed:
            wrong = (("token", str(needed)),)
        except LookupFailed as failed:
            error = str(failed)
    return PlaygroundPage(
        project=project,
        choices=tuple(target.choice for target in targets.values()),
        target=value,
        features=form.features,
        keys=form.keys,
        recent_keys=(),
        result=result,
        error=error,
        field_errors=wrong,
        may_lookup=may_lookup,
    )


def _targets(project: str) -> dict[str, _Target]:
    views = {record.name: record for record in registry.list_views(project)}
    targets = [_target_of_view(record) for record in views.values()]
    for service in registry.list_services(project):
        read = [views[name] for name in dict.fromkeys(ref.view for ref in service.service.features)]
        keys = {key.name: key for record in read for key in record.join_keys}
        choice = Choice(_SERVICE + service.name, f"{service.name} (service)", tuple(sorted(keys)), ())
        limits = {record.name: record.view.terms.under(service.service.terms).max_age for record in read}
        targets.append(_Target(choice, tuple(keys[name] for name in sorted(keys)), limits, _dtypes(read)))
    return {target.choice.value: target for target in targets}


def _target_of_view(record: ViewRecord) -> _Target:
    names = tuple(key.name for key in record.join_keys)
    features = tuple(feature.name for feature in record.view.features)
    limits = {record.name: record.view.terms.max_age}
    return _Target(
        Choice(record.name, record.name, names, features), record.join_keys, limits, _dtypes([record])
    )


def _dtypes(records: Sequence[ViewRecord]) -> dict[tuple[str, str], str]:
    return {
        (record.name, feature.name): feature.dtype.value
        for record in records
        for feature in record.view.features
    }


def read_keys(text: str, join_keys: Sequence[JoinKey]) -> list[dict[str, object]]:
    """Return one entity a line, each ``name=value, name=value`` or a JSON object; raise ``BadKeys``."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(lines) <= MOST_ENTITIES:
        raise BadKeys(f"Write 1 to {MOST_ENTITIES} entities, one a line.")
    return [_entity(line, number, join_keys) for number, line in enumerate(lines, 1)]


def _entity(line: str, number: int, join_keys: Sequence[JoinKey]) -> dict[str, object]:
    found: dict[str, object]
    if line.startswith("{"):
        try:
            found = json.loads(line)
        except ValueError as bad:
            raise BadKeys(f"Line {number} is not JSON: {bad}") from bad
    elif "=" not in line and len(join_keys) == 1:
        found = {join_keys[0].name: line}
    else:
        pairs = [part.partition("=") for part in line.split(",")]
        found = {name.strip(): value.strip() for name, _, value in pairs}
    if found.keys() != {key.name for key in join_keys}:
        wanted = ", ".join(f"{key.name}=…" for key in join_keys)
        raise BadKeys(f"Line {number} must name exactly {wanted}")
    return {key.name: _typed(found[key.name], key, number) for key in join_keys}


def _typed(value: object, key: JoinKey, number: int) -> object:
    if key.dtype not in _INTEGERS or not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError as bad:
        raise BadKeys(f"Line {number}: {key.name} is a whole number, not {value!r}") from bad


def look_up(project: str, target: _Target, form: Form) -> LookupResult:
    """Ask serving; raise ``BadKeys``, ``TokenNeeded`` or ``LookupFailed``."""
    entities = read_keys(form.keys, target.join_keys)
    columns = {key.name: [entity[key.name] for entity in entities] for key in target.join_keys}
    ask = target.ask(form.features)
    body = {"project": project, **ask, "entities": columns}
    address = f"{settings.FRESHLINE_SERVING_URL.rstrip('/')}/v1/lookup"
    try:
        response = httpx.post(address, json=body, headers=_headers(form.token), timeout=_DEADLINE)
        answer = response.json()
    except httpx.HTTPError as failed:
        raise LookupFailed(
            f"Serving at {settings.FRESHLINE_SERVING_URL} does not answer: {failed}"
        ) from failed
    except ValueError as failed:
        raise LookupFailed(
            f"Serving answered {response.status_code} with something else than JSON."
        ) from failed
    if response.status_code in (401, 403):
        raise TokenNeeded(_why(response.status_code, project, has_token=bool(form.token)))
    if response.status_code != 200:
        raise LookupFailed(
            f"Serving refused ({response.status_code}): {answer.get('detail', 'no reason given')}"
        )
    rejected = {each["row"]: each["reasons"] for each in answer["rejected"]}
    contracts = list(answer["contracts"].values())
    return LookupResult(
        entities=tuple(
            EntityResult(
                key=", ".join(f"{name}={value}" for name, value in entity.items()),
                rejected=row in rejected,
                values=tuple(
                    _value(column, row, rejected.get(row, ()), target) for column in answer["columns"]
                ),
            )
            for row, entity in enumerate(entities)
        ),
        took=response.elapsed,
        contract=contracts[0] if len(contracts) == 1 else None,
        bundle=answer["bundle"]["number"],
        snippets=snippets(settings.FRESHLINE_SERVING_URL, project=project, asked=ask, entities=columns),
    )


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _why(status: int, project: str, *, has_token: bool) -> str:
    if not has_token:
        return "Serving looks up for tokens only. Make one with the scope lookup and paste it here."
    if status == 403:
        return f"This token may not look up in project {project}. Use one with the scope lookup for it."
    return "Serving does not know this token. It may be expired or revoked, or too new for it."


def _value(
    column: Mapping[str, Any], row: int, reasons: Sequence[Mapping[str, Any]], target: _Target
) -> ValueRow:
    name, view, age = column["name"], column["view"], column["ages_us"][row]
    told = [each["reason"] or "" for each in reasons if (each["view"], each["feature"]) == (view, name)]
    value = column["values"][row]
    return ValueRow(
        feature=name,
        value="null" if value is None else json.dumps(value, ensure_ascii=False),
        dtype=target.dtypes.get((view, name), ""),
        event_time=None,
        age=None if age is None else timedelta(microseconds=age),
        limit=target.limits.get(view),
        verdict=column["verdicts"][row],
        action=column["actions"][row],
        reason=told[0] if told else "",
    )
