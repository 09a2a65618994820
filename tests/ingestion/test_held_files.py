"""Files that change while they are read: replaced ones are read to their end, altered ones read again."""

import os

import pytest

from controlplane.contracts.model import Source, SourceKind
from controlplane.ingestion.sources import files


@pytest.fixture
def folder(tmp_path, settings):
    settings.FRESHLINE_SOURCE_ROOTS = [tmp_path / "data"]
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def found(folder):
    (folder / "a.csv").write_text("first")
    (folder / "b.csv").write_text("second")
    return files.find_batch_files(Source(name="s", kind=SourceKind.CSV, uri="*.csv"))


def texts(found):
    return [state.path.read_text() for state in found.states]


def test_what_is_held_is_read_to_its_end_when_the_source_is_replaced(found, folder, tmp_path):
    held = files.hold_files(found, tmp_path / "held")
    draft = folder / "a.part"
    draft.write_text("newer")
    draft.replace(folder / "a.csv")
    (folder / "b.csv").unlink()
    (folder / "c.csv").write_text("another")
    assert texts(held) == ["first", "second"]
    assert files.changed_since([held]) is None
    assert files.changed_since([found]) == "s"


def test_a_file_that_is_written_to_in_place_has_changed(found, folder, tmp_path):
    held = files.hold_files(found, tmp_path / "held")
    with (folder / "b.csv").open("a") as file:
        file.write(" and more")
    assert files.changed_since([held]) == "s"


def test_a_source_that_changed_before_it_was_held_is_not_held(found, folder, tmp_path):
    (folder / "c.csv").write_text("another")
    assert files.hold_files(found, tmp_path / "held") is None
    assert files.changed_since([found]) == "s"


def test_a_file_that_was_replaced_before_it_was_held_is_not_held(found, folder, tmp_path):
    draft = folder / "a.part"
    draft.write_text("newer")
    draft.replace(folder / "a.csv")
    assert files.hold_files(found, tmp_path / "held") is None


def replacing(folder, monkeypatch, *, times):
    """Replace a file each time after the source was found and before it is held, as a busy writer does."""
    real, left = files.hold_files, list(range(times))

    def hold(found, held):
        if left:
            draft = folder / "a.part"
            draft.write_text(f"version {left.pop()}")
            draft.replace(folder / "a.csv")
        return real(found, held)

    monkeypatch.setattr(files, "hold_files", hold)


def test_a_source_that_is_replaced_before_it_was_held_is_found_anew(found, folder, tmp_path, monkeypatch):
    replacing(folder, monkeypatch, times=files.HOLD_TRIES - 1)
    held = files.find_and_hold(found.source, tmp_path / "held")
    assert held.is_held
    assert texts(held) == ["version 0", "second"]


def test_one_that_is_replaced_each_time_is_read_where_it_lies(found, folder, tmp_path, monkeypatch):
    replacing(folder, monkeypatch, times=100)
    unheld = files.find_and_hold(found.source, tmp_path / "held")
    assert not unheld.is_held
    assert files.changed_since([unheld]) == "s"


def test_a_file_that_goes_away_while_it_is_held_is_no_reason_to_read_it_in_its_place(
    found, folder, tmp_path, monkeypatch
):
    real = os.link

    def link(source, held):
        if source.name == "b.csv":
            source.unlink()
        return real(source, held)

    monkeypatch.setattr(os, "link", link)
    held = files.find_and_hold(found.source, tmp_path / "held")
    assert (held.is_held, texts(held)) == (True, ["first"])


def test_where_no_link_can_be_made_the_files_are_read_where_they_lie(found, tmp_path, monkeypatch):
    def refuse(*paths):
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    assert files.find_and_hold(found.source, tmp_path / "held") == found


def test_holding_again_after_a_kill_takes_the_files_of_now(found, folder, tmp_path):
    files.hold_files(found, tmp_path / "held")
    (folder / "a.csv").write_text("third")
    again = files.find_batch_files(found.source)
    assert texts(files.hold_files(again, tmp_path / "held")) == ["third", "second"]


def test_times_and_sizes_are_those_of_the_source(found, tmp_path):
    held = files.hold_files(found, tmp_path / "held")
    assert held.is_held
    assert held.newest_change_us == found.newest_change_us
    assert [state.path.parent for state in held.states] == [tmp_path / "held"] * 2
