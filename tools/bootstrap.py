#!/usr/bin/env python3
"""Set up what one `make` target needs, starting from a bare clone.

    python3 tools/bootstrap.py demo|test|check|docs

A profile is a virtual environment in .venv with Reelway (editable), the dependency groups it names in
pyproject.toml, and, for tests, Debian packages. A stamp in .venv says what is there already, so a
second call returns at once. Needs the standard library only, and only Linux or macOS.

Whatever pip and apt are configured to use on this machine is what is used here.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what meets an older Python first
    sys.exit(f"Reelway needs Python 3.11 or newer, this is {sys.version}: try `make PYTHON=python3.11 ...`")

import fcntl
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
BASE_PYTHON = os.path.realpath(sys.executable)  # not the one in .venv, should that be active


class Profile(NamedTuple):
    """What a target needs beside the package itself."""

    groups: tuple[str, ...] = ()  # of [dependency-groups]
    debian: bool = False  # the packages of [tool.reelway.debian]


PROFILES = {
    "demo": Profile(),
    "docs": Profile(groups=("docs",)),
    "test": Profile(groups=("test", "docs"), debian=True),  # a test builds the docs
    "check": Profile(groups=("dev",)),
}


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or arguments[0] not in PROFILES:
        sys.exit(f"usage: bootstrap.py {'|'.join(PROFILES)}")
    profile = PROFILES[arguments[0]]
    with PYPROJECT.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # `make check` beside `make test`: the second waits here
        project = tomllib.load(file)
        make_environment()
        install_groups(project["dependency-groups"], profile.groups)
        if profile.debian:
            offer_debian_packages(list(project["tool"]["reelway"]["debian"]))


# The virtual environment


def make_environment() -> None:
    """Make .venv, unless it is there and belongs to this interpreter and this folder."""
    stamp = Stamp("venv", sys.version, BASE_PYTHON, str(VENV))
    if stamp.holds() and VENV_PYTHON.exists():
        return
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    # Debian ships venv without ensurepip, hence without pip, until python3-venv is installed.
    if not importlib.util.find_spec("ensurepip") and may_install():
        apt_install(["python3-venv"])
        importlib.invalidate_caches()
    if importlib.util.find_spec("ensurepip"):
        run(BASE_PYTHON, "-m", "venv", VENV)
    elif importlib.util.find_spec("pip"):
        run(BASE_PYTHON, "-m", "venv", "--without-pip", VENV)
        run(BASE_PYTHON, "-m", "pip", "--python", VENV_PYTHON, "install", "--quiet", "pip")
    else:
        sys.exit("this Python brings neither ensurepip nor pip. On Debian: sudo apt-get install python3-venv")
    stamp.write()


def install_groups(groups: dict[str, list[Any]], wanted: tuple[str, ...]) -> None:
    """Install Reelway and the requirements of the `wanted` groups, in one resolution."""
    requirements = sorted({requirement for group in wanted for requirement in flatten(groups, group)})
    stamp = Stamp("pip-" + "-".join(wanted), PYPROJECT.read_text())
    if stamp.holds():
        return
    say(f"installing reelway and {len(requirements)} tools" if requirements else "installing reelway")
    run(VENV_PYTHON, "-m", "pip", "install", "--quiet", "--editable", ROOT, *requirements)
    stamp.write()


def flatten(groups: dict[str, list[Any]], name: str) -> list[str]:
    """The requirements of a PEP 735 group, with those of the groups it includes."""
    requirements = []
    for entry in groups[name]:
        requirements += [entry] if isinstance(entry, str) else flatten(groups, entry["include-group"])
    return requirements


class Stamp:
    """A file in .venv that remembers the facts under which a step was done."""

    def __init__(self, step: str, *facts: str) -> None:
        self.path = VENV / f".reelway-{step}"
        self.digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()

    def holds(self) -> bool:
        return self.path.exists() and self.path.read_text() == self.digest

    def write(self) -> None:
        self.path.write_text(self.digest)


# Debian packages


def offer_debian_packages(packages: list[str]) -> None:
    """Install those missing where that is allowed; otherwise say how. Never an error: tests decide."""
    missing = missing_packages(packages)
    if missing and may_install():
        say(f"installing {' '.join(missing)}")
        apt_install(missing)
        missing = missing_packages(packages)
    if missing:
        say(f"tests that need these will be skipped: {' '.join(missing)}")
        if shutil.which("apt-get"):
            say(f"to run them too: sudo apt-get install {' '.join(missing)}")


def missing_packages(packages: list[str]) -> list[str]:
    if not shutil.which("dpkg-query"):
        return packages
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *packages]
    known = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [package for package in packages if f"{package} installed" not in known.splitlines()]


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: list[str]) -> None:
    """Install as root, asking nothing. On failure apt's own words stand on the screen."""
    apt = ["apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--no-install-recommends", *packages]):
        subprocess.run(apt + command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def run(*command: object) -> None:
    words = [str(word) for word in command]
    if status := subprocess.run(words, stdin=subprocess.DEVNULL).returncode:
        sys.exit(f"bootstrap: status {status} from: {shlex.join(words)}")


def say(text: str) -> None:
    print(f"bootstrap: {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
