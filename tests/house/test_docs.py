"""Every code block of README.md and docs/ runs, each in an empty folder with a `film.mp4` in it.

```python      is run as a script, warnings being errors
```console     each line behind "$ " is run; other lines are output, shown to the reader only
<!-- not run: why -->        right above a block: it is not
<!-- needs: ffmpeg -->       right above a block: a Debian package that it needs, see conftest.py
```text, toml, mermaid ...   are not code that runs
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import needs

ROOT = Path(__file__).parents[2]
PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if page.exists()]
TIMEOUT_S = 60

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+|~~~+) *(?P<language>[\w+-]*)(?P<rest>.*)$")
NOTE = re.compile(r"^\s*<!-- (?P<kind>not run|needs): (?P<text>.+?) -->\s*$")


class Block(NamedTuple):
    page: Path
    line: int  # of its opening fence, from 1
    language: str
    code: str
    notes: dict[str, str]  # "not run" and "needs"

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    lines = enumerate(page.read_text().splitlines(), start=1)
    notes: dict[str, str] = {}
    for number, line in lines:
        if note := NOTE.match(line):
            notes[note["kind"]] = note["text"]
        elif fence := FENCE.match(line):
            code = []
            for _, inner in lines:
                if inner.strip() == fence["fence"]:
                    break
                code.append(inner.removeprefix(fence["indent"]))
            else:
                raise ValueError(f"{page}:{number}: this block never ends")
            yield Block(page, number, fence["language"], "\n".join(code) + "\n", notes)
            notes = {}
        elif line.strip():
            notes = {}


IN_REAL_TIME = {"recording"}
"""Pages whose blocks count what comes in so many seconds."""
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
SAMPLES = [
    pytest.param(block, id=str(block), marks=[pytest.mark.alone] * (block.page.stem in IN_REAL_TIME))
    for block in BLOCKS
    if block.language in {"python", "console"}
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.media import make

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make.film(path)
    return path


@pytest.mark.parametrize("block", SAMPLES)
def test_block_runs(block: Block, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if reason := block.notes.get("not run"):
        pytest.skip(f"the page says: {reason}")
    for package in block.notes.get("needs", "").split():
        needs(package)
    shutil.copy(request.getfixturevalue("film"), tmp_path / "film.mp4")
    if block.language == "python":
        # As many empty lines first as make a traceback's line numbers those of the page.
        script = tmp_path / f"{block.page.stem}.py"
        script.write_text("\n" * block.line + block.code)
        run([sys.executable, "-W", "error", script.name], tmp_path)
    else:
        for command in commands_of(block.code):
            run(["bash", "-c", f"set -euo pipefail\n{command}"], tmp_path)


def commands_of(code: str) -> list[str]:
    """What stands behind "$ ", with the lines that a closing backslash joins to it."""
    commands = re.findall(r"^\$ ((?:.*\\\n)*.*)$", code, flags=re.MULTILINE)
    assert commands, 'a console block without a line that begins with "$ "'
    return commands


def run(command: list[str], folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_name_their_language(page: Path) -> None:
    """A block under another name would escape the test above."""
    wrong = [str(block) for block in blocks_of(page) if block.language in {"", "py", "pycon", "bash", "sh"}]
    assert not wrong, "say python, console, or what else it is (text)"


def test_documentation_builds(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
