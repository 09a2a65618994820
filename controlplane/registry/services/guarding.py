"""What a definition may make this machine do: queries and local files are hostile until they are checked."""

from django.conf import settings

from controlplane.contracts.model import Definition
from controlplane.kernel.errors import FieldError, Refused
from controlplane.kernel.names import DEFAULT_STORE
from controlplane.kernel.source_roots import check_location
from controlplane.kernel.sql_guard import check_query
from store_adapters import is_read_only


def refuse_hostile(file: Definition) -> None:
    """Refuse queries that are not one SELECT over their own sources, and files outside the allowed folders.

    The run checks again: files move, and a definition may be older than the folders that are allowed now.
    """
    errors = [*_bad_locations(file), *_bad_queries(file)]
    if errors:
        raise Refused("bad_definition", errors[0].message, errors=errors)


def refuse_unknown_store(file: Definition) -> None:
    """Refuse a store that this installation has no address of."""
    known = [DEFAULT_STORE, *sorted(settings.FRESHLINE_STORES)]
    if file.store is not None and file.store not in known:
        named = ", ".join(known)
        message = f"There is no store {file.store!r}: STORE_URL and FRESHLINE_STORES name {named}"
        raise Refused("bad_definition", message, errors=[FieldError("store", "unknown_reference", message)])


def foreign_stores() -> list[str]:
    """Return the names of the stores that somebody else writes, and we only read."""
    urls = {DEFAULT_STORE: settings.STORE_URL, **settings.FRESHLINE_STORES}
    return [name for name, url in urls.items() if is_read_only(url)]


def refuse_unwritable(before: Definition, after: Definition) -> None:
    """Refuse new or changed views with lanes in a project whose store is only read; both are whole."""
    name = after.store or DEFAULT_STORE
    if name not in foreign_stores():
        return
    known = before.feature_views if before.store == after.store else ()
    errors = [
        FieldError(
            f"feature_views.{view.name}",
            "store_read_only",
            f"{view.name} declares lanes ({', '.join(view.lanes)}); the store {name} is Feast's, only read",
        )
        for view in after.feature_views
        if view.lanes and view not in known
    ]
    if errors:
        raise Refused("store_read_only", errors[0].message, errors=errors)


def _bad_locations(file: Definition) -> list[FieldError]:
    errors = []
    for index, source in enumerate(file.sources):
        if source.uri is None or not _is_local(source.uri):
            continue
        try:
            check_location(source.uri, settings.FRESHLINE_SOURCE_ROOTS)
        except Refused as refused:
            errors.append(FieldError(f"sources[{index}].uri", refused.code, refused.detail))
    return errors


def _bad_queries(file: Definition) -> list[FieldError]:
    errors = []
    for index, view in enumerate(file.feature_views):
        if view.batch is None:
            continue
        try:
            check_query(view.batch.query, tables=view.batch.sources)
        except Refused as refused:
            path = f"feature_views[{index}].batch.query"
            errors.append(FieldError(path, refused.code, refused.detail))
    return errors


def _is_local(uri: str) -> bool:
    scheme, separator, _ = uri.partition("://")
    return not separator or scheme.lower() == "file"
