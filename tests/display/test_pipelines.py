"""Pipelines that show something, on a real screen that is read back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy

import reelway as rw
from tests.display.showing import until
from tests.display.xserver import XServer

TEXT = "videotestsrc\n  pattern={pattern}\n! nveglglessink\n"
LIMIT_S = 30


def is_snow(screen: XServer) -> bool:
    """Grey noise fills a part of the screen as large as a picture."""
    picture = screen.screen().astype(int)
    grey = numpy.ptp(picture, axis=2) < 12
    noisy = numpy.abs(numpy.diff(picture[..., 0], axis=1)) > 20
    return bool((grey[:, 1:] & noisy).sum() > 320 * 240 // 3)


def test_a_file_with_a_placeholder_shows_snow_and_ends_on_ctrl_c(screen: XServer, tmp_path: Path) -> None:
    (tmp_path / "pipeline.gstp").write_text(TEXT)
    command = [sys.executable, "-m", "reelway", "launch", "--file", "pipeline.gstp", "--pattern=snow"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, env=os.environ | {"LANG": "C"})
    try:
        until(lambda: is_snow(screen))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
    assert process.returncode == 130
    assert said.decode().splitlines()[-1] == "reelway: interrupted"
    assert "Traceback" not in said.decode()


def test_without_a_display_the_error_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "pipeline.gstp").write_text(TEXT)
    bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "reelway", "launch", "-q", "--file", "pipeline.gstp", "--pattern=snow"]
    done = subprocess.run(
        command, cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 1
    assert "no display to show video on" in done.stderr
    assert "xvfb-run" in done.stderr


def test_a_pattern_changes_on_the_screen_while_it_plays(screen: XServer) -> None:
    with rw.launch("videotestsrc name=src pattern=red ! autovideosink") as app:

        def shows(channel: int) -> bool:
            picture = screen.screen().astype(int)
            others = [picture[..., other] for other in range(3) if other != channel]
            return bool(((picture[..., channel] > 150) & (sum(others) < 120)).sum() > 320 * 240 // 2)

        until(lambda: shows(0))
        app.options["src.pattern"] = "blue"
        until(lambda: shows(2))
