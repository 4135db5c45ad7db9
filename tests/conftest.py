"""What every test may rely on: counts, Debian packages, and no soak tests by surprise."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tools import bootstrap

pytest_plugins = ["tests.secrets", "tests.turns"]

SOAK = os.environ.get("REELWAY_SOAK") == "1"
CI = os.environ.get("CI") == "true"
DEBIAN: dict[str, list[str]] = tomllib.loads(bootstrap.PYPROJECT.read_text())["tool"]["reelway"]["debian"]

# What a run in the background, or under nohup, has ignored is not ignored by the programs under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def count(full: int) -> int:
    """How often to repeat: `full` times in `make soak`, a tenth of that, at least once, in `make test`.

    Also a fixture of the same name; import it where a decorator needs the number.
    """
    return full if SOAK else max(1, full // 10)


# No deadline: the machine is busy with the other workers. CI draws the same examples each time.
hypothesis.settings.register_profile("test", deadline=None, max_examples=count(1000), derandomize=CI)
hypothesis.settings.load_profile("test")


@pytest.fixture(name="count", scope="session")
def _count() -> Callable[[int], int]:
    return count


@pytest.fixture(scope="session")
def debian_tool() -> Callable[[str], Path]:
    """`debian_tool("ffprobe")` is the path of that command, or ends the test as `needs()` says."""

    def find(command: str) -> Path:
        package = next((package for package, commands in DEBIAN.items() if command in commands), None)
        if package is None:
            raise LookupError(f"{command} is in no package of [tool.reelway.debian] in pyproject.toml")
        needs(package)
        return Path(shutil.which(command) or command)

    return find


def needs(package: str) -> None:
    """Skip the running test where a Debian package is missing; where CI=true, fail it instead."""
    if present(package):
        return
    message = f"the Debian package {package} is missing: `make test` as root installs it, or apt-get install"
    if CI:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@functools.cache
def present(package: str) -> bool:
    """True where all its commands are on PATH; a package without commands is asked for by name."""
    commands = DEBIAN[package]
    if commands:
        return all(shutil.which(command) for command in commands)
    return not bootstrap.missing_packages([package])


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("debian"):
        for package in marker.args:
            needs(package)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SOAK:  # hours, not minutes, may pass in one test
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
