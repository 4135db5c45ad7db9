"""Valkka's threads with a real camera's server and a real screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.display.conftest import _server, screen  # noqa: F401 - fixtures
from tests.display.showing import until
from tests.display.xserver import XServer
from tests.live.conftest import MakeServer, coded, rtsp_server  # noqa: F401 - fixtures
from tests.live.serving import PASSWORD
from tests.media import make

SCRIPTS = Path(__file__).parent / "scripts"
STUBBED = (  # the wheel's windows want a screen of their own: what would be shown is printed
    "import cv2; cv2.imshow = lambda name, image: print(name, image.shape, flush=True); "
    "cv2.waitKey = lambda ms: -1; "
)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="rw-"))
    monkeypatch.setenv("REELWAY_SHARE_DIR", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Script:
    """A script of the documents under `reelway script`, and the lines that it has printed."""

    def __init__(self, name: str, prelude: str = "", **environment: str) -> None:
        code = f"import sys; from reelway.cli import main; {prelude}sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-uc", code, "script", str(SCRIPTS / name)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def kill(self) -> str:
        """What it has said on stderr."""
        self.process.kill()
        return self.end()

    def end(self) -> str:
        self.process.wait(30)
        self._reading.join()
        assert self.process.stderr is not None
        said = self.process.stderr.read()
        self.process.stdout.close()  # type: ignore[union-attr]
        self.process.stderr.close()
        return said


def pictures(server: XServer, across: int = 1) -> list[Any]:
    """The pictures of 320x240 that stand side by side in a window; none where nothing is to be seen."""
    whole = server.screen()
    found = numpy.argwhere(whole.any(axis=2))
    if not len(found):
        return []
    bottom, right = (int(each) + 1 for each in found.max(axis=0))
    left, top = right - across * 320, bottom - 240  # above, the blocks of the counter may be black
    return [whole[top:bottom, left + 320 * n : left + 320 * (n + 1)] for n in range(across)]


def counters(server: XServer, across: int = 1) -> list[int]:
    """What is burned into them; [] where not all of them can be read."""
    try:
        return [make.read_counter(each) for each in pictures(server, across)]
    except (ValueError, ZeroDivisionError):
        return []


def test_the_documents_server_with_its_three_clients(rtsp_server: MakeServer, screen: XServer) -> None:  # noqa: F811
    pytest.importorskip("cv2")
    camera = rtsp_server(auth="digest")
    server = Script("valkka_01_server.py", RTSP=camera.url, SECONDS_TO_RUN="8")
    clients = [
        Script("valkka_02_client_api2.py"),
        Script("valkka_03_client_opencv.py", STUBBED),
        Script("valkka_04_client_api1.py"),
    ]
    wanted = ["got data: ", "valkka_opencv_demo (270, 480, 3)", "payload  "]
    try:
        shown: list[int] = []

        def shows() -> bool:
            shown.extend(counters(screen))
            return len(set(shown)) > 5

        until(shows, "no counters on the screen")
        for client, text in zip(clients, wanted, strict=True):
            until(
                lambda client=client, text=text: sum(text in line for line in client.lines) >= 3,  # type: ignore[misc]
                f"{text} is not printed",
            )
        said = server.end()
    finally:
        server.process.kill()
        errors = [client.kill() for client in clients]
    assert (server.process.returncode, server.lines, said) == (0, ["bye"], "")
    assert errors == ["", "", ""]
    assert shown == sorted(shown)
    assert not any(PASSWORD in line or "s3cret" in line for line in [said, *server.lines])
