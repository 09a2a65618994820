"""No input ends with a traceback: what is wrong is said in one line, and exits as the page says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.places import ROOT

TOO_LONG = "9" * 5_000


@pytest.fixture
def push(cli, tmp_path):
    def push(text):
        path = tmp_path / "rows.jsonl"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return cli.run("push", cli.view, str(path))

    return push


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"nn": NaN}', 'NaN is no JSON; write it as a string, "NaN"'),
        ('{"nn": 1e999}', "larger than a number can be"),
        ('{"s": "\\ud800"}', "lone surrogate"),
        ('{"\\ud800": 1}', "lone surrogate"),
        ('{"n": ' + TOO_LONG + "}", "more than 4,300 digits"),
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ("[" * 100_000, "nested too deeply"),
        (b'{"s": "\xff"}', "UTF-8"),
        (b"\x00", "neither a JSON array nor JSON lines"),
    ],
    ids=["nan", "too large", "surrogate", "surrogate key", "digits", "twice", "deep", "not utf-8", "zero"],
)
def test_rows_that_are_no_json_are_told_and_not_sent(cli, push, text, said):
    assert push(text) == 2
    assert said in cli.err and "sys." not in cli.err
    assert cli.site.asked == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 2026-13-45", "Which project?"),
        ("a: " + TOO_LONG, "Which project?"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe\xff", "neither YAML nor JSON"),
        ("project: [a]", "404"),
        ('project: "\\ud800"', "lone surrogate"),
    ],
    ids=["date", "digits", "deep", "not utf-8", "list", "surrogate"],
)
def test_a_definition_without_a_project_that_can_be_read_is_told(cli, tmp_path, text, said):
    path = tmp_path / "features.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert cli.run("plan", str(path), FRESHLINE_PROJECT="") in (1, 2)
    assert said in cli.err and "sys." not in cli.err


@pytest.mark.parametrize("token", ["é", "fl_a b", "fl_a\nb", "\udcff"])
def test_a_token_that_cannot_be_one_is_told_but_not_shown(cli, tmp_path, token):
    path = tmp_path / "token"
    path.write_bytes(token.encode("utf-8", "surrogateescape"))
    assert cli.run("runs", FRESHLINE_TOKEN=token) == 1
    assert "FRESHLINE_TOKEN" in cli.err and token not in cli.err
    assert cli.run("runs", FRESHLINE_TOKEN="", FRESHLINE_TOKEN_FILE=str(path)) == 1
    assert str(path) in cli.err and token not in cli.err


@pytest.mark.parametrize("url", ["http://[::1", "nowhere", "http://h:99999", "http://\udcff", "http://h/\n"])
def test_an_address_that_is_none_is_told(cli, url):
    assert cli.run("runs", FRESHLINE_URL=url) in (1, 2)
    assert cli.err.startswith("freshline: ")


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "--project", "\udcff"],
        ["runs", "--view", "\udcff"],
        ["incidents", "--state", "\udcff"],
        ["why", TOO_LONG],
        ["push", "\udcff", "rows"],
        ["push", "v", "\udcff"],
        ["silence", "--for", f"{TOO_LONG}d", "--reason", "r"],
        ["silence", "--for", "999d", "--reason", "\udcff"],
        ["lookup", "v:\udcff", "--key", "k=1"],
        ["lookup", "v:f", "--key", "k=\udcff"],
        ["explain", "v.\udcff", "--key", "k"],
    ],
    ids=lambda words: " ".join(words)[:40].encode("ascii", "backslashreplace").decode(),
)
def test_odd_words_are_refused_in_words(cli, words):
    cli.site.answers |= {"/v1/lookup": (422, {}), "/v1/explain": (422, {})}
    assert cli.run(*words) in (1, 2)
    assert cli.err.startswith("freshline: ")


@pytest.mark.parametrize("key", ["NaN", "-Infinity", "1e999", TOO_LONG, "[" * 100_000, "true"])
def test_a_key_that_is_no_number_is_a_text(cli, key):
    cli.site.answers["/v1/lookup"] = (200, {"rows": 0, "columns": [], "rejected": []})
    assert cli.run("lookup", "v:f", "--key", f"k={key}") == 0
    assert json.loads(cli.site.asked[-1].content)["entities"] == {"k": [key]}


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff"])
def test_an_answer_that_is_no_object_is_told(cli, body):
    cli.site.bodies["/v1/explain"] = body
    assert cli.run("explain", "v.f", "--key", "k") == 1
    assert "http://serving.example/v1/explain" in cli.err and "Freshline" in cli.err


def run(arguments, **how):
    """Run the command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "controlplane.cli", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
        **how,
    )


def test_whoever_reads_may_leave_and_a_full_disk_is_named():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        assert run(["doctor"], stdout=gone, env={"FRESHLINE_URL": "http://127.0.0.1:9"}).stderr == ""
    with Path("/dev/full").open("w") as full:
        done = run(["doctor"], stdout=full, env={"FRESHLINE_URL": "http://127.0.0.1:9"})
    assert done.returncode == 1
    assert done.stderr == "freshline: cannot write what was found: No space left on device\n"


def test_a_closed_pipe_is_told():
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m controlplane.cli push v - <&-"],
        cwd=ROOT,
        env={"FRESHLINE_PROJECT": "p"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (2, "freshline: -: nothing is piped in\n")
