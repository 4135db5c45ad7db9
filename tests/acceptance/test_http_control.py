"""A pattern changed over HTTP while it plays: seen within two pictures, and none is lost."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import reelway as rw
from reelway.testing.burnin import read_counter

TEXT = (
    "videotestsrc name=src pattern=white counter=true ! video/x-raw,width=640,height=360,framerate=100/1 "
    "! tee name=t t. ! fakesink sync=true t. ! appsink name=out"
)


@contextmanager
def served(app: rw.Application, shown: list[int]) -> Iterator[str]:
    """A web server whose pages set the pattern; `shown`: which picture was shown when that was done."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                app.options["src.pattern"] = self.path.strip("/")
                shown.append(round((app.query.position() or 0.0) * 100))
            except rw.OptionError as error:
                self.send_error(400, str(error))
                return
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_a_page_changes_the_picture_within_two_frames_and_none_is_lost() -> None:
    shown: list[int] = []
    with rw.launch(TEXT) as app, served(app, shown) as address:
        sink = app["out"].filter
        assert isinstance(sink, rw.AppSink)
        numbers: list[int] = []
        bright: list[bool] = []

        def watch(count: int) -> None:
            for _ in range(count):
                packet = sink.pull(20)
                assert packet is not None
                luma = packet.planes()[0]
                numbers.append(read_counter(luma)[0])
                bright.append(bool(luma[300, 600] > 128))

        watch(10)
        for pattern in ("black", "white", "black"):
            before = numbers[-1]
            with urllib.request.urlopen(f"{address}/{pattern}", timeout=10) as answer:
                assert answer.status == 204
            watch(12)
            wanted = pattern == "white"
            changed = next(at for at, light in enumerate(bright) if numbers[at] > before and light == wanted)
            assert numbers[changed] - shown[-1] <= 2
            assert all(light == wanted for light in bright[changed:])
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        with pytest.raises(urllib.request.HTTPError, match="no value 'blak'"):
            urllib.request.urlopen(f"{address}/blak", timeout=10)
