from __future__ import annotations

from pathlib import Path

import pytest

from tests.media import make


@pytest.fixture(scope="session")
def _film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make.film(tmp_path_factory.mktemp("films") / "film.mp4", seconds=2)


@pytest.fixture
def film(_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a film in the current folder, which is empty but for it."""
    monkeypatch.chdir(tmp_path)
    Path("film.mp4").symlink_to(_film)
    return "film.mp4"
