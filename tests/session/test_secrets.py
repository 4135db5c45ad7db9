"""Passwords in all places where they can stand, and everything that a program can be told of what failed."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import reelway as rw
from tests.secrets import (
    BEARER,
    MARK,
    PASSPHRASE,
    PASSWORD,
    PLAIN,
    STREAM_KEY,
    TOKEN,
    UNICODE,
    escaped,
)

SCRIPT = """
import json, logging, sys, threading, traceback
import reelway as rw

given = json.loads(sys.stdin.read())
logging.basicConfig(level=0, stream=sys.stdout)  # a program with handlers of its own
rw.set_logs("all@debug,ffmpeg@debug")

def tell(error):
    told = {name: value for name, value in vars(error).items() if name != "text"}  # what was given
    print("".join(traceback.format_exception(error)), repr(error), told)

def look(session):
    graph = session.graph()
    print(graph, graph.to_json(), graph.to_dot(), graph.to_mermaid(), session.statistics())
    print([(filter.name, filter.status, repr(filter)) for filter in session.filters])
    print([thread.name for thread in threading.enumerate()])

for url, options in given["sources"]:
    for way in (rw.Session.explain, rw.Session.run):
        with rw.Session() as session:
            try:
                session.load_src(url, **options) >> session.load("null")
                look(session)
                print(way(session))
            except rw.ReelwayError as error:
                tell(error)
            look(session)
for url in given["targets"]:
    try:
        with rw.Session() as session:
            session.load("testvideo:frames=3") >> session.load_dst(url)
            session.run()
    except rw.ReelwayError as error:
        tell(error)
for text in given["pipelines"]:
    try:
        with rw.launch(text) as app:
            for message in app.bus:
                print(message, repr(message))
                if message.kind in ("error", "eos"):
                    break
    except rw.ReelwayError as error:
        tell(error)
        print(getattr(error, "caret", ""))
print("all of it was tried")
"""


class _Refusing(http.server.BaseHTTPRequestHandler):
    """Wants a password, or sends to where one is told; what is there it gives to everybody."""

    film = b""

    def do_GET(self) -> None:
        if "there" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.film)))
            self.end_headers()
            self.wfile.write(self.film)
            return
        if "redirect" in self.path:
            self.send_response(302)
            self.send_header("Location", f"http://me:{escaped(PASSWORD)}@127.0.0.1:1/x?token={TOKEN}")
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    with rw.Session() as session:
        session.load("testvideo:frames=5:size=320x180") >> session.load_dst(tmp_path / "film.ts")
        session.run()
    _Refusing.film = (tmp_path / "film.ts").read_bytes()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_that_a_program_is_told_has_a_password_in_it(web: str) -> None:
    """Nobody listens at port 1. Logs of every tool and of FFmpeg are on, at every level."""
    word, strange, key = escaped(PASSWORD), escaped(UNICODE), f"127.0.0.1:1/app/{STREAM_KEY}"
    header = f"Authorization: Bearer {BEARER}\r\n"
    sources = [
        (f"rtsp://me:{word}@127.0.0.1:1/cam", {}),
        (f"rtsp://me:{strange}@127.0.0.1:1/cam?token={TOKEN}", {}),
        (f"rtsp://me@mail.example:{PLAIN}@127.0.0.1:1/cam", {}),
        (f"rtsp://me:{PASSWORD}@127.0.0.1:1/cam", {"transport": "nosuch"}),
        (f"rtmp://me:{word}@{key}", {}),
        (f"srt://127.0.0.1:1?passphrase={escaped(PASSPHRASE)}&streamid={TOKEN}", {}),
        (f"http://me:{word}@{web}/film.ts?token={TOKEN}", {}),
        (f"http://me:{strange}@{web}/there.ts?token={TOKEN}", {"ffmpeg": {"headers": header}}),
        (f"http://{web}/redirect.ts", {}),
        (f"http://{web}/film.ts", {"ffmpeg": {"headers": header}}),
        (f"http://{web}/film.ts", {"ffmpeg": {"headers": header, "nosuch": "1"}}),
        (f"http://{web}/film.ts", {"headers": header}),
        (f"nosuch://me:{word}@{web}/film.ts", {}),
    ]
    targets = [
        f"rtmp://{key}",
        f"http://me:{word}@{web}/film.ts?token={TOKEN}",
        f"http://{web}/redirect.ts",
        f"srt://127.0.0.1:1?passphrase={escaped(PASSPHRASE)}",
    ]
    pipelines = [
        f'rtspsrc location=rtsp://127.0.0.1:1/x user-id=me user-pw="{PASSWORD}" ! fakesink',
        f"rtspsrc location=rtsp://me:{word}@127.0.0.1:1/x nosuch=1 ! fakesink",
        f"rtspsrc user-pw={PLAIN} location ! fakesink",
        f"videotestsrc num-buffers=2 ! x264enc ! flvmux ! rtmpsink location=rtmp://{key}",
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        input=json.dumps({"sources": sources, "targets": targets, "pipelines": pipelines}),
        env={**os.environ, "PYTHONPATH": str(Path(rw.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )
    assert done.stdout.endswith("all of it was tried\n"), done.stdout[-2000:]
    assert "DEBUG:libav." in done.stdout
    assert done.stdout.count("***") > 50
    assert [line for line in done.stdout.splitlines() if MARK in line] == []
