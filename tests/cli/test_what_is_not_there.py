"""A name that nothing bears is an error: a cron job with a typing error must not be green for ever."""

import pytest

from monitors.models import Silence


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "--view", "nope"],
        ["refused", "--view", "nope"],
        ["redrive", "--view", "nope"],
        ["silence", "--for", "1h", "--reason", "works", "--view", "nope"],
        ["impact", "nope"],
    ],
    ids=" ".join,
)
def test_a_view_that_is_not_there_is_named(cli, words):
    silences = Silence.objects.count()
    assert cli.run(*words) == 1
    assert "nope" in cli.err and "404 not_found" in cli.err
    assert cli.out == ""
    assert Silence.objects.count() == silences


@pytest.mark.parametrize("command", ["status", "incidents", "runs", "refused", "export"])
def test_a_project_that_is_not_there_is_named(cli, command):
    assert cli.run(command, "--project", "nope") == 1
    assert "nope" in cli.err and "404 not_found" in cli.err


def test_a_view_of_which_there_is_nothing_to_list_is_no_error(cli):
    assert cli.json("runs", "--view", cli.view, "--state", "aborted") == []
    assert cli.json("refused", "--view", cli.view)
    assert cli.run("redrive", "--view", cli.view) == 0
    assert cli.run("redrive", "--view", cli.view) == 0


@pytest.mark.parametrize("command", ["runs", "refused", "incidents"])
@pytest.mark.parametrize("limit", ["0", "-1", "few", "9" * 5_000])
def test_a_limit_is_a_number_from_1(cli, command, limit):
    assert cli.run(command, f"--limit={limit}") == 2
    assert "a whole number from 1" in cli.err
