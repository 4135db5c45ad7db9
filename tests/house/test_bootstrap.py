"""What tools/bootstrap.py promises without a network: groups, messages, and a quick second call."""

from __future__ import annotations

import sys
import tomllib

import pytest

from tools import bootstrap

GROUPS = tomllib.loads(bootstrap.PYPROJECT.read_text())["dependency-groups"]


def test_a_group_holds_those_it_includes() -> None:
    groups = {"all": ["one", {"include-group": "rest"}], "rest": ["two", "three"]}
    assert bootstrap.flatten(groups, "all") == ["one", "two", "three"]


@pytest.mark.parametrize("profile", bootstrap.PROFILES.values(), ids=bootstrap.PROFILES)
def test_profiles_name_groups_that_exist(profile: bootstrap.Profile) -> None:
    assert set(profile.groups) <= set(GROUPS)


def test_who_may_not_install_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "may_install", lambda: False)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda command: f"/usr/bin/{command}")
    monkeypatch.setattr(bootstrap, "missing_packages", lambda packages: packages)
    bootstrap.offer_debian_packages(["ffmpeg", "graphviz"])
    assert capsys.readouterr().out == (
        "bootstrap: tests that need these will be skipped: ffmpeg graphviz\n"
        "bootstrap: to run them too: sudo apt-get install ffmpeg graphviz\n"
    )


@pytest.mark.skipif(sys.prefix != str(bootstrap.VENV), reason="runs in .venv, through `make test`, only")
def test_a_second_call_does_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*command: object) -> None:
        raise AssertionError(f"it ran {command}")

    monkeypatch.setattr(bootstrap, "run", refuse)
    monkeypatch.setattr(bootstrap, "offer_debian_packages", lambda packages: None)
    bootstrap.main(["test"])
    assert capsys.readouterr().out == ""
