"""Servers of live streams, and the film that they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import needs
from tests.live.serving import RtspServer, coded_film

MakeServer = Callable[..., RtspServer]


@pytest.fixture(scope="session")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds with counters, a keyframe a second."""
    return coded_film(tmp_path_factory.mktemp("coded"))


@pytest.fixture
def rtsp_server(coded: Path) -> Iterator[MakeServer]:
    """Starts servers: `rtsp_server(auth="digest", sound="aac")`; each is gone after the test."""
    for package in ("gir1.2-gst-rtsp-server-1.0", "python3-gi", "gstreamer1.0-plugins-good"):
        needs(package)
    made: list[RtspServer] = []

    def make(**told: Any) -> RtspServer:
        made.append(RtspServer(told.pop("film", coded), **told).start())
        return made[-1]

    yield make
    for server in made:
        server.kill()
