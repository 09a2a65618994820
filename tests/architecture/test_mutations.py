"""The list of rules that are broken on purpose fits the code."""

import pytest

from tools import mutations
from tools.console import Failure
from tools.mutations import Mutation

LISTED = mutations.parse(mutations.LIST.read_text())


@pytest.mark.parametrize("mutation", LISTED, ids=lambda mutation: mutation.name)
def test_what_it_breaks_is_there_exactly_once(mutation: Mutation) -> None:
    assert mutations.complaints(mutation) == []


def test_names_are_unique() -> None:
    names = [mutation.name for mutation in LISTED]
    assert sorted(set(names)) == sorted(names)


def test_every_mutation_changes_something() -> None:
    assert not [mutation.name for mutation in LISTED if mutation.old == mutation.new]


def test_bars_and_line_breaks_are_written_with_a_backslash() -> None:
    (found,) = mutations.parse("or | a.py | x \\| y\\nz |  | tests/x.py -k y\n# a remark | with bars\n\n")
    assert found == Mutation("or", "a.py", "x | y\nz", "", "tests/x.py -k y")


@pytest.mark.parametrize(
    "line", ["only a name", "a | b | c | d", "a | b | c | d | e | f", "a | b |  | d | e"]
)
def test_a_line_that_is_no_mutation_is_named(line: str) -> None:
    with pytest.raises(Failure, match="line 1"):
        mutations.parse(line)


def test_code_that_has_moved_on_is_noticed(tmp_path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    mutation = Mutation("rule", "a.py", "x = 1", "x = 2", "tests/gone.py")
    assert len(mutations.complaints(mutation, tmp_path)) == 2
    assert mutations.complaints(Mutation("rule", "b.py", "x", "y", "a.py"), tmp_path)
