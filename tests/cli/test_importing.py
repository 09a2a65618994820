"""import feast: from a repository, its settings or its registry file to a file that plan and apply take."""

import json

import pytest
import yaml

from tests.cli.conftest import FEAST_SETTINGS as SETTINGS
from tests.permissions.house import FLIGHTS


@pytest.mark.parametrize("named", ["", "feature_store.yaml", "data/registry.db"])
def test_a_repository_is_found_by_its_folder_its_settings_and_its_registry(administrator, repository, named):
    place = repository() / named
    assert administrator.run("import", "feast", str(place), "--project", "driver_repo") == 0, (
        administrator.err
    )
    document = yaml.safe_load(administrator.out)
    assert [each["name"] for each in document["feature_views"]] == [
        "driver_hourly_stats",
        "driver_hourly_stats_fresh",
    ]


def test_the_repository_names_the_project(administrator, repository):
    assert administrator.run("import", "feast", str(repository())) == 0, administrator.err
    assert yaml.safe_load(administrator.out)["project"] == "driver_repo"


def test_the_project_may_get_a_name_of_ours(cli, repository):
    assert cli.run("import", "feast", str(repository()), "--project", FLIGHTS.project) == 0, cli.err
    assert yaml.safe_load(cli.out)["project"] == FLIGHTS.project


def test_a_registry_alone_names_no_project(cli, repository):
    place = str(repository() / "data" / "registry.db")
    assert cli.run("import", "feast", place, FRESHLINE_PROJECT="") == 2
    assert "Which project?" in cli.err
    assert cli.run("import", "feast", place, "--feast-project", "driver_repo") == 0
    assert yaml.safe_load(cli.out)["project"] == FLIGHTS.project


def test_what_is_printed_can_be_planned_and_applied_as_it_is(administrator, repository, tmp_path):
    folder = repository()
    administrator.run("import", "feast", str(folder))
    assert "Not carried over:" in administrator.err and "transformed_conv_rate" in administrator.err
    assert "Not carried over" not in administrator.out
    (tmp_path / "features.yaml").write_text(administrator.out)
    assert administrator.run("plan", str(tmp_path / "features.yaml")) == 0, administrator.err
    assert administrator.run("apply", str(tmp_path / "features.yaml")) == 0, administrator.err
    exported = administrator.json("export", "--project", "driver_repo")
    assert {each["name"] for each in exported["feature_services"]} == {
        "driver_activity_v1",
        "driver_activity_v2",
        "driver_activity_v3",
    }


def test_json_is_exactly_what_the_api_answers_and_all_of_it(cli, repository):
    answer = cli.json("import", "feast", str(repository()), "--project", FLIGHTS.project)
    assert answer.keys() == {"feast_project", "definition", "not_carried_over", "changed"}
    assert cli.err == "" and answer["feast_project"] == "driver_repo"


def test_a_store_of_feasts_is_read_in_place(administrator, repository, settings):
    settings.FRESHLINE_STORES = {"online": "feast+redis://nowhere:1/0"}
    assert administrator.run("import", "feast", str(repository()), "--store", "online") == 0
    document = yaml.safe_load(administrator.out)
    assert document["store"] == "online" and "direct" not in document["feature_views"][1]
    assert "entity keys" not in administrator.err


def test_older_keys_are_warned_of_where_they_would_be_read(administrator, repository, settings):
    settings.FRESHLINE_STORES = {"online": "feast+redis://nowhere:1/0"}
    folder = str(repository(SETTINGS | {"entity_key_serialization_version": 2}))
    assert administrator.run("import", "feast", folder, "--store", "online") == 0
    assert "entity keys of version 2" in administrator.err
    assert administrator.run("import", "feast", folder) == 0
    assert "entity keys" not in administrator.err


def test_the_place_of_the_registry_may_hold_variables_and_more_words(administrator, repository, monkeypatch):
    monkeypatch.setenv("REGISTRY_FOLDER", "data")
    registry = {"registry_type": "file", "path": "${REGISTRY_FOLDER}/registry.db", "cache_ttl_seconds": 60}
    folder = repository(SETTINGS | {"registry": registry})
    assert administrator.run("import", "feast", str(folder)) == 0, administrator.err


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param({"registry": {"registry_type": "sql", "path": "x"}}, "a sql registry", id="SQL"),
        pytest.param({"registry": "s3://bucket/registry.db"}, "its registry at s3://", id="elsewhere"),
        pytest.param({"registry": ["x"]}, "does not say where the registry is", id="a list"),
        pytest.param({"registry": {"registry_type": "file"}}, "does not say where", id="no path"),
        pytest.param("a: [", "is no YAML", id="no YAML"),
        pytest.param("- a", "holds no settings", id="no mapping"),
        pytest.param({"registry": "data/none.db"}, "No such file", id="no registry yet"),
    ],
)
def test_settings_that_lead_to_no_file_are_wrongly_asked(cli, repository, said, why):
    folder = str(repository(said if isinstance(said, str) else SETTINGS | said))
    assert cli.run("import", "feast", folder) == 2
    assert why in cli.err


def test_a_folder_without_settings_is_no_repository(cli, tmp_path):
    assert cli.run("import", "feast", str(tmp_path)) == 2
    assert "holds no feature_store.yaml" in cli.err


def test_what_the_server_refuses_is_told_and_nothing_is_printed(cli, tmp_path):
    (tmp_path / "registry.db").write_text(json.dumps({"project": "x"}))
    assert cli.run("import", "feast", str(tmp_path / "registry.db")) == 1
    assert cli.out == "" and "it is JSON" in cli.err and "bad_registry" in cli.err
