"""What lineage is told of a view and its sources: frozen on the run when it begins."""

from typing import Any

from controlplane.contracts.model import Source
from controlplane.contracts.naming import dataset_of
from controlplane.ingestion.sources.roots import first_root
from controlplane.kernel.errors import NotFound
from controlplane.registry import selectors as registry
from controlplane.registry.domain.records import ViewRecord
from store_adapters import Lane


def describe_run(record: ViewRecord, lane: Lane) -> dict[str, Any]:
    """Return ``{"schema": [{name, dtype}], "inputs": [{namespace, name, fields}]}``."""
    columns = [*record.join_keys, *record.view.features]
    inputs = []
    for name in _sources_of(record, lane):
        try:
            dataset = _dataset(registry.find_source(record.project, name))
        except NotFound:  # it was retired meanwhile; the run fails by itself if it needs it
            continue
        if dataset is not None:
            inputs.append({**dataset, "fields": _fields(record, lane)})
    return {"schema": [{"name": c.name, "dtype": c.dtype.value} for c in columns], "inputs": inputs}


def _sources_of(record: ViewRecord, lane: Lane) -> tuple[str, ...]:
    view = record.view
    if lane is Lane.BATCH:
        return view.batch.sources if view.batch else ()
    if lane is Lane.STREAM:
        return (view.stream.source,) if view.stream else ()
    return (view.direct.source,) if view.direct and view.direct.source else ()


def _dataset(source: Source) -> dict[str, str] | None:
    url = registry.connection_url(source.connection) if source.connection else None
    found = dataset_of(source, root=str(first_root()), connection_url=url)
    return None if found is None else {"namespace": found.namespace, "name": found.name}


def _fields(record: ViewRecord, lane: Lane) -> dict[str, str]:
    stream = record.view.stream
    if lane is not Lane.STREAM or stream is None:
        return {}
    return {named.name: stream.path_of(named.name) for named in (*record.join_keys, *record.view.features)}
