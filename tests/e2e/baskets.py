"""The definition that several stories register: one view of one feature, written directly."""


def definition(project: str, view: str, *, max_age: str, services: list[dict] | None = None) -> dict:
    """Return the definition file; each of ``services`` reads the view's one feature."""
    feature_view = {
        "name": view,
        "entities": ["user"],
        "owner": "baskets",
        "features": [{"name": "amount", "dtype": "float64", "default": -1.0}],
        "freshness": {"max_age": max_age},
        "direct": True,
    }
    return {
        "version": 1,
        "project": project,
        "entities": [{"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}]}],
        "feature_views": [feature_view],
        "feature_services": [one | {"features": [f"{view}:amount"]} for one in services or []],
    }
