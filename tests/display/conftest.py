"""A real X server for the tests of windows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import needs
from tests.display.xserver import XServer, xserver


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XServer]:
    needs("xvfb")
    with xserver(tmp_path_factory.mktemp("screen")) as server:
        yield server


@pytest.fixture
def screen(_server: XServer, monkeypatch: pytest.MonkeyPatch) -> XServer:
    """The display of this test, drawn to in software, whatever the machine has."""
    monkeypatch.setenv("DISPLAY", _server.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.setenv("SDL_RENDER_DRIVER", "software")
    return _server
