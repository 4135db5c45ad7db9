"""`reelway play` and `view` of live sources: a real RTSP server, a real screen that is read back, keys."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy
import pytest

import reelway as rw
from reelway.display.sound import AudioSink
from reelway.display.window import VideoSink
from reelway.session.showing import Player, Showing
from reelway.testing.parts import Feed
from tests.display.showing import blocks, packet_of, until
from tests.display.test_commands import ended, luma, running
from tests.display.xclient import desktop
from tests.display.xserver import XServer
from tests.filters.raw import picture_properties
from tests.live.conftest import MakeServer, coded, rtsp_server  # noqa: F401 - fixtures
from tests.media import make

pytestmark = pytest.mark.alone

WIDE, HIGH = 320, 240
CLOSE = 3
"""Of 255, as in test_colours.py, inside the squares."""
STEP_S = 0.04


def corner(screen: XServer, width: int, height: int) -> tuple[int, int] | None:
    """The upper left corner of a window of that size whose lower right one is not black."""
    lit = numpy.argwhere(screen.screen().max(axis=2) > 8)
    if not len(lit):
        return None
    bottom, right = (int(each) + 1 for each in lit.max(axis=0))
    return (right - width, bottom - height) if right >= width and bottom >= height else None


def counter(screen: XServer, left: int, top: int) -> int | None:
    """Of the picture at this place; None while there is none, and while it is half drawn."""
    try:
        return make.read_counter(luma(screen, left, top, WIDE, HIGH)) or None
    except ValueError:
        return None


def test_four_cameras_are_a_grid_until_a_key_is_pressed(
    screen: XServer,
    rtsp_server: MakeServer,  # noqa: F811
) -> None:
    """TCP and UDP, with and without passwords, all at once; each counts on in its place."""
    servers = [
        rtsp_server(transports=("tcp",)),
        rtsp_server(transports=("udp",)),
        rtsp_server(auth="basic"),
        rtsp_server(auth="digest", sound="aac"),
    ]
    seen: list[list[int]] = [[], [], [], []]

    def count_on() -> bool:
        for number, found in enumerate(seen):
            left, top = (1280 - 2 * WIDE) // 2, (800 - 2 * HIGH) // 2
            left, top = left + WIDE * (number % 2), top + HIGH * (number // 2)
            read = counter(screen, left, top)
            if read is not None and read not in found:
                found.append(read)
        return all(len(found) > 8 for found in seen)

    urls = [server.url for server in servers]
    with running("view", *urls, "--size", f"{2 * WIDE}x{2 * HIGH}") as process:
        until(count_on, "the pictures do not come")
        with desktop(screen.display) as people:
            people.press_key(next(iter(people.windows().values())), "q")
            assert ended(process) == (0, "", "")
    for found in seen:
        assert found == sorted(found) or max(found) > 200, "the film is sent over and over"


@pytest.mark.parametrize("by", ["the cross", "Escape"])
def test_a_camera_with_sound_is_played_until_its_window_is_closed(
    by: str,
    screen: XServer,
    rtsp_server: MakeServer,  # noqa: F811
) -> None:
    server = rtsp_server(auth="digest", sound="aac")
    numbers: set[int] = set()

    def counts() -> bool:
        read = counter(screen, (1280 - WIDE) // 2, (800 - HIGH) // 2)
        numbers.update([] if read is None else [read])
        return len(numbers) > 10

    with running("play", server.url, "-q") as process:
        until(counts, "the pictures do not come")
        with desktop(screen.display) as people:
            titles = people.windows()
            assert list(titles) == ["cam"]
            if by == "Escape":
                people.press_key(titles["cam"], by)
            else:
                people.press_close_button(titles["cam"])
            assert ended(process) == (0, "", "")


def tagged(path: Path, matrix: str, full: bool) -> Path:
    """Ten seconds of `blocks()` in these colours."""
    properties = {**picture_properties("yuv420p", 192, 128), "ColorMatrix": matrix, "FullRange": full}
    frame = packet_of(blocks(), properties).payload
    packets = [rw.Packet(frame, number, number, 1, 1, frame.size) for number in range(250)]
    with rw.Session() as session:
        session.add(Feed(packets, properties=properties)) >> session.load_dst(path, video="libx264:qp=1")
        session.run()
    return path


def test_a_grid_has_the_colours_of_each_of_its_parts(screen: XServer, tmp_path: Path) -> None:
    """BT.601 and BT.709, limited and full, side by side in one picture."""
    kinds = [(matrix, full) for matrix in ("smpte170m", "bt709") for full in (False, True)]
    films = [tagged(tmp_path / f"{matrix}-{full}.mp4", matrix, full) for matrix, full in kinds]
    worst: list[list[float]] = [[]]

    def shows() -> bool:
        place = corner(screen, 384, 256)
        if place is None:
            return False
        picture = screen.screen()[place[1] :, place[0] :].astype(int)
        worst[0] = []
        for number in range(4):
            down, across = 128 * (number // 2), 192 * (number % 2)
            part = picture[down : down + 128, across : across + 192]
            squares = numpy.abs(part - blocks()).reshape(8, 16, 12, 16, 3)[:, 4:-4, :, 4:-4]
            worst[0].append(float(numpy.percentile(squares, 99.9)))
        return max(worst[0]) <= CLOSE + 2

    with running("view", *films, "--size", "384x256") as process:
        until(shows, f"the colours are off by {worst}")
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, "", "")


class Watched:
    """For each picture, as it is shown: how far the sound that is heard then is ahead of it [s]."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead: list[float] = []
        self.player: AudioSink | None = None
        show = VideoSink._show

        def shown(window: VideoSink, planes: list[numpy.ndarray], time_s: float | None) -> None:
            show(window, planes, time_s)
            heard_s = self.player.heard_s if self.player is not None else None
            if heard_s is not None and time_s is not None:
                self.ahead.append(heard_s - time_s)

        monkeypatch.setattr(VideoSink, "_show", shown)

    def play(self, url: str, count: int) -> AudioSink:
        with rw.Session() as session:
            Player(session, Showing([url]))

            def look() -> float | None:
                self.player = next((each for each in session.filters if isinstance(each, AudioSink)), None)
                if len(self.ahead) >= count:
                    session.stop("fast")
                    return None
                return 0.02 if not all(each.done for each in session._scheduler.nodes) else None

            session.post(look)
            session.run()
        assert self.player is not None
        return self.player

    @property
    def far(self) -> float:
        """How far apart they were but for one time in twenty, when the machine was at something else."""
        apart = sorted(map(abs, self.ahead))
        return apart[len(apart) * 19 // 20]


@pytest.mark.parametrize("driver", ["dummy", "disk"])
def test_sound_and_picture_of_a_film_are_within_40_ms(
    driver: str, screen: XServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SDL's stand-ins take a chunk every so many whole milliseconds: 21 for 21.3, so they are 1.6 % fast."""
    monkeypatch.setenv("SDL_AUDIODRIVER", driver)
    monkeypatch.setenv("SDL_DISKAUDIOFILE", str(tmp_path / "played.raw"))
    film = make.film(tmp_path / "film.mp4", seconds=5)
    watched = Watched(monkeypatch)
    watched.play(str(film), 110)
    assert watched.far < STEP_S, watched.ahead


def test_sound_and_picture_of_a_camera_are_within_40_ms(
    screen: XServer,
    rtsp_server: MakeServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    server = rtsp_server(sound="aac", transports=("tcp",))
    watched = Watched(monkeypatch)
    watched.play(server.url, 150)
    watched.ahead = watched.ahead[50:]  # where all is due is found within the first seconds
    assert watched.far < STEP_S, watched.ahead
