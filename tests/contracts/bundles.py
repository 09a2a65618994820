"""A reader of bundles that shares nothing with the compiler: checks every field by name and type."""

from tests.contracts.cases import features_of

ACTIONS = {"serve", "null", "default", "reject"}
TERMS = {"max_age_us": int, "warn_after_us": int, "on_stale": str, "on_missing": str, "on_invalid": str}
RULES = {
    "min": (int, float),
    "max": (int, float),
    "allowed": list,
    "max_length": int,
    "pattern": str,
    "min_items": int,
    "max_items": int,
    "allow_nan": bool,
    "allow_inf": bool,
    "default": object,
}
VIEW = {
    "id",
    "contract",
    "enforcement",
    "features",
    "join_keys",
    "lanes",
    "layout",
    "layouts",
    "retired_features",
    "terms",
    "bins",
}


def check_bundle(document):
    """Assert that the document is a bundle, whole and without anything that serving does not know."""
    assert set(document) == {"default_project", "format", "number", "registry", "store", "tokens", "projects"}
    assert document["format"] == 1
    assert document["store"] == {"name": "default"}
    assert isinstance(document["number"], int)
    for token in document["tokens"]:
        assert set(token) == {"expires_us", "projects", "sha256"}
        assert len(token["sha256"]) == 64
    for project in document["projects"].values():
        assert set(project) == {"services", "views"}
        for view in project["views"].values():
            _check_view(view)
        for service in project["services"].values():
            _check_service(service, views=project["views"])


def view_of(view):
    """The features of a published view, as records."""
    return features_of(view)


def _check_view(view):
    assert set(view) == VIEW
    assert view["enforcement"] in ("enforce", "observe")
    assert view["join_keys"] == sorted(view["join_keys"], key=lambda key: key["name"])
    assert set(view["lanes"]) <= {"batch", "stream", "direct"}
    for columns in [view["join_keys"], *view["layouts"].values()]:
        assert all(set(column) == {"name", "dtype"} for column in columns)
    if view["features"]:
        current = [(feature["name"], feature["dtype"]) for feature in view["features"]]
        layout = [(column["name"], column["dtype"]) for column in view["layouts"][str(view["layout"])]]
        assert sorted(current) == sorted(layout)
    for feature in view["features"]:
        assert {"name", "dtype", "nullable"} <= set(feature) <= {"name", "dtype", "nullable", *RULES}
        assert all(isinstance(feature[rule], RULES[rule]) for rule in RULES if rule in feature)
    for name, bins in view["bins"].items():
        assert name in {feature["name"] for feature in view["features"]}
        assert set(bins) in ({"id", "edges"}, {"id", "categories"})
        assert len(bins["id"]) == 16
    assert not {feature["name"] for feature in view["features"]} & set(view["retired_features"])
    _check_terms(view["terms"], required=set(TERMS) - {"warn_after_us"})


def _check_service(service, *, views):
    assert set(service) == {"features", "max_rejected", "terms"}
    assert 0 <= service["max_rejected"] <= 1
    _check_terms(service["terms"], required=set())
    for view, feature in service["features"]:
        known = {each["name"] for each in views[view]["features"]}
        assert feature in known or feature in views[view]["retired_features"]


def _check_terms(terms, *, required):
    assert required <= set(terms) <= set(TERMS)
    for name, value in terms.items():
        assert isinstance(value, TERMS[name])
        assert not name.startswith("on_") or value in ACTIONS
