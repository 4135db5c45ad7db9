"""The command line as a user meets it: exit code, stdout, stderr."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import reelway as package
from reelway.cli import main
from reelway.session.logs import TOOLS, loggers_of
from tests.media import make


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def _films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make.film(folder / "film.mp4", seconds=2)
    return folder


@pytest.fixture
def film(_films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`film.mp4` in an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    path = Path("film.mp4")
    path.write_bytes((_films / "film.mp4").read_bytes())
    return path


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    """Log levels are the process's: put them back."""
    loggers = [logging.getLogger(name) for tool in TOOLS for name in loggers_of(tool)]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def reelway(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`reelway("run", "a", "b")` in this process."""

    def run(*words: object) -> Done:
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Done(code, out, err)

    return run


def command(*words: object) -> list[str]:
    """The same as a command for a process of its own."""
    return [sys.executable, "-W", "error", "-m", "reelway", *map(str, words)]


def surroundings() -> dict[str, str]:
    """An environment in which a process finds the package that is tested, wherever it is started."""
    return os.environ | {"PYTHONPATH": str(Path(package.__file__).parents[1])}


def run_apart(*words: object, cwd: Path | None = None) -> Done:
    done = subprocess.run(
        command(*words), env=surroundings(), capture_output=True, text=True, timeout=60, cwd=cwd
    )
    return Done(done.returncode, done.stdout, done.stderr)
