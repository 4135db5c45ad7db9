"""docs/architecture.md speaks of the code as it is: its functions, files and rooms are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "reelway"
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


WALK = [
    (function, file.strip("`"))
    for _, functions, file in rows(section("The way of a packet"))
    for function in re.findall(r"`(\w+)`", functions)
]


@pytest.mark.parametrize(("function", "file"), WALK, ids=lambda value: str(value))
def test_a_packet_goes_this_way(function: str, file: str) -> None:
    assert re.search(rf"^ *(async )?def {function}\(", (PACKAGE / file).read_text(), flags=re.MULTILINE)


def test_the_walk_is_a_walk() -> None:
    assert len(WALK) > 30


@pytest.mark.parametrize("file", sorted(set(re.findall(r"`((?:\w+/)*\w+\.py)`", PAGE))))
def test_files_exist(file: str) -> None:
    assert (PACKAGE / file).exists() or list(PACKAGE.rglob(file))


def test_every_room_is_described() -> None:
    described = {cells[0].strip("`/").removesuffix(".py") for cells in rows(section("Rooms"))}
    rooms = (path for path in PACKAGE.iterdir() if path.suffix in {"", ".py"})
    there = {path.stem for path in rooms if not path.name.startswith((".", "_"))}
    assert described == there


def test_the_picture_has_every_room() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = set(re.findall(r"\w+", " ".join(layers))) - {"__main__"}
    picture = re.search(r"```mermaid\n(.*?)```", PAGE, flags=re.DOTALL)
    assert picture
    assert rooms <= set(re.findall(r"\w+", picture[1]))
