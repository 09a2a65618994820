"""A case of the vectors, as records of the code under test and back."""

from datetime import timedelta

from controlplane.contracts.model import Action, Feature, ServiceTerms, Terms
from controlplane.contracts.values import from_json, to_json
from controlplane.contracts.verdicts import Lost, StoredRow
from controlplane.kernel.dtypes import Dtype

_RENAMED = {"min": "minimum", "max": "maximum"}


def features_of(view):
    return {each["name"]: _feature(each, view.get("bins", {})) for each in view["features"]}


def terms_of(view_terms, service_terms):
    view = Terms(max_age=timedelta(microseconds=view_terms["max_age_us"]), **_actions(view_terms))
    max_age_us = service_terms.get("max_age_us")
    own = None if max_age_us is None else timedelta(microseconds=max_age_us)
    return view.under(ServiceTerms(max_age=own, **_actions(service_terms)))


def fetched_row(row, view):
    if row is None:
        return None
    if row.get("unavailable"):
        return Lost.UNAVAILABLE
    if row.get("corrupt"):
        return Lost.CORRUPT
    columns = {each["name"]: Dtype(each["dtype"]) for each in view["layouts"][str(row["layout"])]}
    return StoredRow(
        event_time_us=row["event_time_us"],
        write_time_us=row["write_time_us"],
        lane=row["lane"],
        held=row["held"],
        tombstone=row["tombstone"],
        columns=columns,
        values={name: from_json(columns[name], value) for name, value in row["values"].items()},
    )


def judgement_document(judgement, *, features):
    """The ``expect`` of a vector."""
    return {
        "rows": [
            {
                "as_of_us": row.as_of_us,
                "age_us": row.age_us,
                "rejected": row.rejected,
                "features": [_answer_document(answer, features=features) for answer in row.features],
            }
            for row in judgement.rows
        ],
        "failed": judgement.failed,
        "counts": {verdict.value: count for verdict, count in judgement.counts.items()},
        "rejected_rows": judgement.rejected_rows,
    }


def _answer_document(answer, *, features):
    dtype = features[answer.name].dtype if answer.name in features else Dtype.STRING
    return {
        "name": answer.name,
        "verdict": answer.verdict.value,
        "status": answer.status.value,
        "action": answer.action.value,
        "value": exact_json(dtype, answer.value),
        "also_invalid": answer.also_invalid,
        "reason": answer.reason,
    }


def exact_json(dtype, value):
    """Vectors write a float32 with the digits of its float64, so that no reader has to round."""
    wide = {Dtype.FLOAT32: Dtype.FLOAT64, Dtype.LIST_FLOAT32: Dtype.LIST_FLOAT64}
    return to_json(wide.get(dtype, dtype), value)


def _feature(document, bins):
    dtype = Dtype(document["dtype"])
    rules = {_RENAMED.get(key, key): value for key, value in document.items() if key not in ("name", "dtype")}
    if "allowed" in rules:
        rules["allowed"] = tuple(rules["allowed"])
    if "default" in rules:
        rules["default"] = from_json(dtype, rules["default"])
    if document["name"] in bins:
        told = bins[document["name"]]
        rules["bins"] = tuple(from_json(dtype, each) for each in told.get("edges") or told["categories"])
    return Feature(name=document["name"], dtype=dtype, **rules)


def _actions(terms):
    return {key: Action(terms[key]) for key in ("on_stale", "on_missing", "on_invalid") if key in terms}
