"""Run by Feast's own Python: make stock repositories and fill their stores, then read and write by the SDK.

    feast_sdk_program.py fill {project: online_store}        init, apply and materialise, for each
    feast_sdk_program.py compare {project: {path, token}}    ask the store itself, and serving; print both
    feast_sdk_program.py write PROJECT {path, token}         push and write_to_online_store, then read
    feast_sdk_program.py refused {project: {path, token}}    push; print what was raised

Imports nothing of ours: that environment has only Feast. It works in the folder that it is started in.
"""

import json
import random
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from feast import Entity, FeatureService, FeatureStore, FeatureView, LabelView, Project
from feast.data_source import DataSource
from feast.errors import FeastError
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_operations import init_repo

KINDS = (Project, Entity, DataSource, FeatureView, OnDemandFeatureView, LabelView, FeatureService)
NAMES = ("conv_rate", "acc_rate", "avg_daily_trips")
DRIVERS = [1005, 1001, 9999, 1003, 1001]  # in no order, one unknown, one twice
# Request data of the services' on-demand views: Feast wants it, serving passes it over.
ASKED = [{"driver_id": each, "val_to_add": 1, "val_to_add_2": 2} for each in DRIVERS]
REMOTE = {"type": "remote", "connection_retries": 0}


def fill(projects):
    for project, online_store in projects.items():
        random.seed(7)
        np.random.seed(7)
        init_repo(project, "local")
        configure(project, online_store)
        store = FeatureStore(str(repository(project)))
        found = runpy.run_path(str(repository(project) / "feature_definitions.py"))
        store.apply([each for each in found.values() if isinstance(each, KINDS)])
        now = datetime.now(UTC)
        store.materialize(now - timedelta(days=20), now)


def compare(projects):
    answers = {}
    for project, remote in projects.items():
        own = FeatureStore(str(repository(project)))
        through = at(project, remote)
        answers[project] = (
            [ask(own, question) for question in questions(own)],
            [ask(through, question) for question in questions(through)],
        )
    return answers


def questions(store):
    """What is asked: features and services, by short and by full names."""
    named = [f"driver_hourly_stats:{name}" for name in NAMES]
    for features in (
        named,
        store.get_feature_service("driver_activity_v1"),
        store.get_feature_service("driver_activity_v2"),
    ):
        for full in (False, True):
            yield {"features": features, "full_feature_names": full}


def ask(store, question):
    """Return what the SDK makes of the answer, without what Feast's own Python computes on demand."""
    answer = store.get_online_features(entity_rows=ASKED, **question).to_dict()
    known = {"driver_id", *NAMES, *(f"driver_hourly_stats__{name}" for name in NAMES)}
    return {name: values for name, values in sorted(answer.items()) if name in known}


def write(project, remote):
    store = at(project, remote)
    now = datetime.now(UTC).replace(microsecond=0)
    store.push("driver_stats_push_source", frame(now, conv_rate=[0.25, 0.5], avg_daily_trips=[11, 12]))
    store.write_to_online_store(
        "driver_hourly_stats_fresh",
        frame(now + timedelta(seconds=1), drivers=[2002], conv_rate=[0.75], avg_daily_trips=[13]),
    )
    rows = [{"driver_id": each} for each in (2001, 2002, 2003)]
    named = [f"driver_hourly_stats_fresh:{name}" for name in NAMES]
    return store.get_online_features(features=named, entity_rows=rows).to_dict()


def refused(projects):
    said = {}
    for project, remote in projects.items():
        rows = frame(datetime.now(UTC), conv_rate=[0.25, 0.5], avg_daily_trips=[1, 2])
        try:
            at(project, remote).push("driver_stats_push_source", rows)
        except FeastError as wrong:
            said[project] = [type(wrong).__name__, str(wrong)]
    return said


def frame(when, *, drivers=(2001, 2002), conv_rate, avg_daily_trips):
    """Rows as a user of the stock repository pushes them."""
    size = len(drivers)
    return pd.DataFrame(
        {
            "driver_id": list(drivers),
            "event_timestamp": [when] * size,
            "created": [when] * size,
            "conv_rate": conv_rate,
            "acc_rate": [0.125] * size,
            "avg_daily_trips": avg_daily_trips,
            "driver_metadata": [{"vehicle_type": "truck"}] * size,
            "driver_config": ['{"max_distance_km": 500}'] * size,
            "driver_profile": [{"name": "driver", "age": "30"}] * size,
        }
    )


def at(project, remote):
    """Return the same repository with serving as its online store, and nothing else changed but who asks."""
    settings = yaml.safe_load((repository(project) / "feature_store.yaml").read_text())
    settings["online_store"] = {**REMOTE, "path": remote["path"]}
    settings["auth"] = {"type": "oidc", "token": remote["token"]}
    changed = repository(project) / "remote.yaml"
    changed.write_text(yaml.safe_dump(settings))
    return FeatureStore(str(repository(project)), fs_yaml_file=changed)


def configure(project, online_store):
    place = repository(project) / "feature_store.yaml"
    settings = yaml.safe_load(place.read_text())
    if online_store:
        settings["online_store"] = online_store
    place.write_text(yaml.safe_dump(settings))


def repository(project):
    return Path(project).resolve() / "feature_repo"


COMMANDS = {"fill": fill, "compare": compare, "write": write, "refused": refused}

if __name__ == "__main__":
    words = [json.loads(word) if word.startswith("{") else word for word in sys.argv[2:]]
    answer = COMMANDS[sys.argv[1]](*words)
    print("\n" + json.dumps(answer))
