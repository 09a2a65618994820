"""Addresses, tokens, errors, exit codes, and that the command starts quickly."""

import os
import subprocess
import sys

import pytest

from controlplane.cli.main import COMMANDS, main
from tools.places import ROOT


def test_a_missing_token_is_said_with_what_to_do(cli):
    assert cli.run("runs", FRESHLINE_TOKEN="") == 1
    assert "401 unauthenticated" in cli.err and "FRESHLINE_TOKEN_FILE" in cli.err


def test_a_token_is_read_from_its_file_unless_it_is_given(cli, tmp_path):
    path = tmp_path / "token"
    path.write_text(cli.variables["FRESHLINE_TOKEN"] + "\n")
    assert cli.run("runs", FRESHLINE_TOKEN="", FRESHLINE_TOKEN_FILE=str(path)) == 0
    assert cli.run("runs", FRESHLINE_TOKEN="fl_other", FRESHLINE_TOKEN_FILE=str(path)) == 1
    assert cli.run("runs", FRESHLINE_TOKEN="", FRESHLINE_TOKEN_FILE=str(tmp_path / "none")) == 1
    assert "No such file" in cli.err


def test_a_server_that_does_not_answer_is_named(cli):
    assert cli.run("runs", FRESHLINE_URL="http://elsewhere.example") == 1
    assert "http://elsewhere.example/api/v1/projects/flights/runs does not answer" in cli.err
    assert "Traceback" not in cli.err


def test_an_answer_that_is_no_problem_document_is_told_as_it_is(cli):
    cli.site.answers["/v1/explain"] = (502, "bad gateway")
    assert cli.run("explain", "v.f", "--key", "k", FRESHLINE_URL="") == 1
    assert "answered 502" in cli.err and "bad gateway" in cli.err


def test_a_foreign_project_is_told_in_the_servers_words(cli):
    assert cli.run("runs", "--project", "trains") == 1
    assert "404 not_found" in cli.err


def test_without_a_project_the_command_says_how_to_name_one(cli):
    assert cli.run("runs", FRESHLINE_PROJECT="") == 2
    assert "--project" in cli.err and "FRESHLINE_PROJECT" in cli.err


@pytest.mark.parametrize("words", [["fly"], ["runs", "--lane", "train"], [], ["push", "v"]])
def test_wrong_words_exit_with_2(cli, words):
    assert cli.run(*words) == 2
    assert "usage: freshline" in cli.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as left:
        main([command.name, "--help"], variables={})
    said = capsys.readouterr().out
    assert left.value.code == 0
    assert "--project" in said and "--json" in said


def test_the_command_starts_without_django():
    heavy = "{'django', 'celery', 'duckdb', 'pyarrow', 'rest_framework'}"
    asked = f"import sys, controlplane.cli.main; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_process_speaks_to_a_server_that_listens(live_server, db):
    done = subprocess.run(
        [sys.executable, "-m", "controlplane.cli.main", "runs", "--project", "flights"],
        cwd=ROOT,
        env={**os.environ, "FRESHLINE_URL": live_server.url, "FRESHLINE_TOKEN": "fl_unknown"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "401 unauthenticated" in done.stderr
