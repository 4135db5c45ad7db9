"""Playback with libgpac's names, on a real screen that is read back, and a sound device that is a file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

import reelway as rw
from tests.compat.test_libgpac_scripts import COMMAND, SCRIPTS
from tests.display.conftest import _server, screen  # noqa: F401 - fixtures
from tests.display.showing import until
from tests.display.xclient import desktop
from tests.display.xserver import XServer
from tests.media import make

pytestmark = pytest.mark.alone

SECONDS = 4.0
FPS = 25


@contextlib.contextmanager
def playing(script: str, film: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    settings = {**os.environ, "SOURCE": str(film), "SDL_AUDIODRIVER": "dummy", **environment}
    process = subprocess.Popen(
        [*COMMAND, str(SCRIPTS / script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**settings, "PYTHONWARNINGS": "error"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def counter(server: XServer) -> int | None:
    """What is burned into the picture of 320x240 on the screen; None where there is none."""
    whole = server.screen()
    lit = numpy.argwhere(whole.any(axis=2))
    if not len(lit):
        return None
    bottom, right = (int(each) + 1 for each in lit.max(axis=0))
    try:
        return make.read_counter(whole[bottom - 240 : bottom, right - 320 : right])
    except ValueError:
        return None


def test_the_documents_playback_shows_the_film_at_its_pace(screen: XServer) -> None:  # noqa: F811
    film = make.media("film.mp4")
    seen: list[tuple[float, int]] = []

    def over() -> bool:
        number = counter(screen)
        leaves = number == 0 and seen  # half of the window is black already, and black is 0
        if number is not None and not leaves and (not seen or number != seen[-1][1]):
            seen.append((time.monotonic(), number))
        return process.poll() is not None

    with playing("gpac_03_playback.py", film) as process:
        until(over, "it does not end")
        assert ended(process) == (0, "", "")
    numbers = [number for _, number in seen]
    assert numbers == sorted(numbers)
    assert len(numbers) > 30
    (first_s, first), (last_s, last) = seen[2], seen[-1]
    assert (last - first) / (last_s - first_s) == pytest.approx(FPS, rel=0.15)


def test_its_colours_are_those_of_the_film(screen: XServer, tmp_path: Path) -> None:  # noqa: F811
    colours = {(0, 0): (200, 30, 40), (0, 1): (20, 180, 60), (1, 0): (40, 60, 210), (1, 1): (230, 220, 30)}
    picture = numpy.zeros((240, 320, 3), numpy.uint8)
    for (row, column), colour in colours.items():
        picture[row * 120 : row * 120 + 120, column * 160 : column * 160 + 160] = colour
    film = tmp_path / "colours.mp4"
    with rw.Session() as session:
        source = session.load("testvideo", size="320x240", duration=3)

        @rw.video_filter(pixel_format="rgb24")
        def paint(_: object) -> object:
            return picture

        source >> session.add(paint) >> session.load_dst(str(film), video="libx264:preset=ultrafast:crf=8")
        session.run()

    def there() -> bool:
        whole = screen.screen()
        lit = numpy.argwhere(whole.any(axis=2))
        return len(lit) >= 320 * 240

    with playing("gpac_03_playback.py", film) as process:
        until(there, "nothing is shown")
        whole = screen.screen()
        assert ended(process)[0] == 0
    bottom, right = (int(each) + 1 for each in numpy.argwhere(whole.any(axis=2)).max(axis=0))
    shown = whole[bottom - 240 : bottom, right - 320 : right]
    for (row, column), colour in colours.items():
        assert numpy.abs(shown[row * 120 + 60, column * 160 + 80].astype(int) - colour).max() <= 6


def test_closing_the_window_ends_it(screen: XServer) -> None:  # noqa: F811
    with playing("gpac_03_playback.py", make.media("film.mp4")) as process:
        until(lambda: counter(screen) is not None, "nothing is shown")
        with desktop(screen.display) as desk:
            (window,) = desk.windows().values()
            desk.press_close_button(window)
        began_s = time.monotonic()
        assert ended(process) == (0, "", "")
        assert time.monotonic() - began_s < 2.5


def test_sound_is_played_beside_it(screen: XServer, tmp_path: Path) -> None:  # noqa: F811
    played = tmp_path / "played.raw"
    told = {"SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": str(played)}
    numbers: set[int | None] = set()
    with playing("own_5_playback_with_sound.py", make.media("film.mp4"), **told) as process:

        def over() -> bool:
            numbers.add(counter(screen))
            return process.poll() is not None

        until(over, "it does not end")
        code, said, errors = ended(process)
    assert code == 0
    assert all("SDL disk" in line or "Writing to file" in line for line in errors.splitlines())  # SDL's words
    assert "vout" in said
    assert "aout" in said
    assert len(numbers) > 20
    sound = numpy.fromfile(played, numpy.float32).reshape(-1, 2)
    heard = sound[(sound != 0).any(axis=1)]
    assert SECONDS - 0.3 < len(heard) / 48000 < SECONDS + 0.3
    # a tone of 440 Hz, and nothing else
    spectrum = numpy.abs(numpy.fft.rfft(heard[48000:96000, 0]))
    assert abs(int(spectrum.argmax()) - 440) <= 2


def test_without_a_screen_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with playing("gpac_03_playback.py", make.media("film.mp4"), SDL_VIDEODRIVER="x11") as process:
        code, _, errors = ended(process)
    assert code == 1
    assert errors.startswith("gpac_03_playback.py:12: UnsupportedError: no display to show video on")
    assert "hint: " in errors
    assert "Traceback" not in errors
