"""Scripts in the manner of Valkka's lessons, under `reelway script`, with real cameras and a real screen."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import av
import numpy
import pytest

import reelway as rw
from reelway.compat.valkka import core
from tests.compat.valkka_peers import Script, counters
from tests.display.conftest import _server, screen  # noqa: F401 - fixtures
from tests.display.showing import until
from tests.display.xserver import XServer
from tests.live.conftest import MakeServer, coded, rtsp_server  # noqa: F401 - fixtures
from tests.live.serving import FPS, PASSWORD, free_port, wait_for_file
from tests.live.watching import Watch, WatchSound, frames
from tests.media import make

Start = Callable[..., Script]
ENDED = (0, "")
"""The exit code, and what is said on stderr."""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of what is shared: its path is short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="rw-"))
    monkeypatch.setenv("REELWAY_SHARE_DIR", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts scripts; none outlives the test."""
    made: list[Script] = []

    def run(*words: str, **environment: str) -> Script:
        made.append(Script(*words, **environment))
        return made[-1]

    yield run
    for each in made:
        if each.process.stdout is not None and not each.process.stdout.closed:
            each.kill()


def end(script: Script) -> tuple[int, str]:
    said = script.end()
    assert script.lines[-1:] == ["bye"], said
    assert not any(PASSWORD in line or "s3cret" in line for line in [said, *script.lines])
    return script.process.returncode, said


def told(script: Script, name: str) -> list[str]:
    """The lines of one BriefInfoFrameFilter."""
    return [line for line in script.lines if line.startswith(f"BriefInfoFrameFilter: {name} :")]


def test_one_stream_is_decoded_and_forked(start: Start, rtsp_server: MakeServer) -> None:  # noqa: F811
    camera = rtsp_server(auth="digest", sound="aac")
    script = start("valkka_05_decode_and_fork.py", RTSP=camera.url, SECONDS_TO_RUN="6")
    numbers: list[int] = []
    with rw.share.Reader("lesson_fork", timeout_s=20) as reader:
        while len(numbers) < 6:
            frame = reader.pull(5)
            assert frame is not None
            numbers.append(make.read_counter(numpy.asarray(frame).reshape(120, 160, 3)))
    assert end(script) == ENDED
    # every half second a picture, of 25 a second; what was there when it began came at once
    assert all(11 <= b - a <= 16 for a, b in pairwise(numbers[1:]))
    decoded, coded_ones = told(script, "decoded"), told(script, "coded")
    assert all("slot=1 / Visual raw 320x240" in line for line in decoded)
    assert len(decoded) > 3 * FPS
    assert {line.split(" / ")[1].split()[0] for line in coded_ones} == {"Visual", "Audio"}


def test_four_cameras_are_a_grid(start: Start, rtsp_server: MakeServer, screen: XServer) -> None:  # noqa: F811
    cameras = [rtsp_server() for _ in range(4)]
    addresses = " ".join(camera.url for camera in cameras)
    script = start("valkka_06_grid.py", RTSP=addresses, SECONDS_TO_RUN="7")
    seen: list[list[int]] = []

    def all_four() -> bool:
        seen.extend([found] if len(found := counters(screen, 2, 2)) == 4 else [])
        return len({tuple(each) for each in seen}) > 5

    until(all_four, "not four pictures")
    whole = screen.screen()
    now = counters(screen, 2, 2)
    assert end(script) == ENDED
    assert all(a <= b for one, other in pairwise(seen) for a, b in zip(one, other, strict=True))
    # the film's greys, of one of the pictures that were there about then
    bottom, right = (int(each) + 1 for each in numpy.argwhere(whole.any(axis=2)).max(axis=0))
    cell = whole[bottom - 120 : bottom, right - 160 : right].astype(int)
    drawn = [film_luma(number) for number in range(now[3] - 4, now[3] + 2)]
    assert min(float(numpy.median(numpy.abs(cell[20:] - each[20:, :, None]))) for each in drawn) <= 3


def film_luma(number: int) -> numpy.ndarray:
    """A picture of the film at half its size, as a screen shows its luma: (120, 160), 0 to 255."""
    luma = make.counter_picture(number)[:240:2, ::2].astype(float)
    return (luma - 16) * 255 / 219


def test_a_camera_is_recorded_for_a_while_and_played(
    start: Start,
    rtsp_server: MakeServer,  # noqa: F811
    screen: XServer,  # noqa: F811
    tmp_path: Path,
) -> None:
    camera = rtsp_server()
    film = tmp_path / "camera.mkv"
    script = start("valkka_07_file_writing.py", RTSP=camera.url, DEST=str(film), SECONDS_TO_RUN="4")
    shown: list[int] = []

    def shows() -> bool:
        shown.extend(counters(screen))
        return bool(told(script, "played"))

    until(shows, "nothing is played")
    assert end(script) == ENDED
    assert [line for line in script.lines if line.startswith("record")] == [
        "recording: True",
        "recorded: True",
    ]
    with av.open(str(film)) as container:
        pictures = list(container.decode(video=0))
    numbers = [make.read_counter(each.to_ndarray(format="gray")) for each in pictures]
    assert numbers[0] % FPS == 0
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) > 2 * FPS
    assert len(set(shown)) > 5  # it was watched meanwhile
    played = told(script, "played")
    assert 1.2 * FPS < len(played) < 2.8 * FPS  # two seconds, at its speed


@pytest.mark.debian("ffmpeg")
def test_a_camera_is_sent_on_to_a_group(
    start: Start,
    rtsp_server: MakeServer,  # noqa: F811
    tmp_path: Path,
    debian_tool: Callable[[str], Path],
) -> None:
    camera = rtsp_server(auth="basic")
    sdp = tmp_path / "multicast.sdp"
    where = {"GROUP": "239.255.17.3", "PORT": str(free_port() & ~1), "INTERFACE": "127.0.0.1"}
    script = start("valkka_08_multicast.py", RTSP=camera.url, DEST=str(sdp), SECONDS_TO_RUN="8", **where)
    wait_for_file(sdp)
    command = f"{debian_tool('ffmpeg')} -v error -nostdin -protocol_whitelist file,rtp,udp"
    command += f" -localaddr 127.0.0.1 -i {sdp} -frames:v 60 -f rawvideo -pix_fmt gray -"
    reader = subprocess.run(command.split(), capture_output=True, timeout=60, check=False)
    assert end(script) == ENDED
    pictures = numpy.frombuffer(reader.stdout, numpy.uint8).reshape(-1, 240, 320)
    numbers = list(dict.fromkeys(make.read_counter(each) for each in pictures))
    assert numbers[0] % FPS == 0
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) > 40


def test_decoding_is_switched_off_and_on(start: Start, rtsp_server: MakeServer, screen: XServer) -> None:  # noqa: F811
    camera = rtsp_server()
    script = start("valkka_09_switching_decoding.py", RTSP=camera.url, SECONDS_TO_RUN="3")
    shown: list[tuple[int, int]] = []
    """In which turn, and what."""

    def over() -> bool:
        turn = sum(line.startswith("decoding o") for line in script.lines)
        shown.extend((turn, each) for each in counters(screen))
        return script.lines[-1:] == ["bye"] or turn == 4

    until(over, "it does not end")
    assert end(script) == ENDED
    turns = [[each for turn, each in shown if turn == number] for number in range(1, 4)]
    assert len(set(turns[0])) > 10
    assert len(set(turns[1])) < 5  # what was on its way, and then nothing
    assert len(set(turns[2])) > 10
    again = next(each for each in turns[2] if each != turns[1][-1])
    assert again - turns[1][-1] > FPS  # it went on meanwhile
    off, on = script.lines.index("decoding off"), script.lines.index("decoding on", 5)
    assert len([line for line in script.lines[off:on] if " coded :" in line]) > 1.5 * FPS


def test_pictures_are_shared_with_another_process(start: Start, rtsp_server: MakeServer) -> None:  # noqa: F811
    camera = rtsp_server(auth="digest")
    client = start("valkka_10_sharing.py", "client", SECONDS_TO_RUN="9")
    server = start("valkka_10_sharing.py", RTSP=camera.url, SECONDS_TO_RUN="6")
    found = re.compile(r"slot 7 counter (\d+) at (\d+)")
    assert (end(server), end(client)) == (ENDED, ENDED)
    pulled = [tuple(map(int, match.groups())) for line in client.lines if (match := found.fullmatch(line))]
    assert len(pulled) > 10
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(pulled[1:])]  # what was there came at once
    assert all(pictures > 0 and passed_ms > 0 for pictures, passed_ms in steps)
    assert 4 <= median(pictures for pictures, _ in steps) <= 6  # 200 ms; of some the machine is late
    assert "timeout" in client.lines  # before, or after


# What goes out


def context(port: int, **more: object) -> core.LiveOutboundContext:
    made = core.LiveOutboundContext(core.LiveConnectionType_sdp, "239.255.17.4", 3, port)
    for name, value in {"localaddr": "127.0.0.1", **more}.items():
        setattr(made, name, value)
    return made


def test_pictures_and_sound_go_out_together(rtsp_server: MakeServer, tmp_path: Path) -> None:  # noqa: F811
    camera = rtsp_server(sound="aac")
    sdp, port = tmp_path / "out.sdp", free_port() & ~1
    camera_in, net_out = core.LiveThread("in"), core.LiveThread("out")
    camera_in.startCall()
    net_out.startCall()
    source = core.LiveConnectionContext(core.LiveConnectionType_rtsp, camera.url, 3, net_out.getFrameFilter())
    there = context(port, sdp=str(sdp))
    net_out.registerOutboundCall(there)
    camera_in.registerStreamCall(source)
    camera_in.playStreamCall(source)
    wait_for_file(sdp)
    with rw.Session() as session:
        reading = session.load_src(str(sdp), ffmpeg={"localaddr": "127.0.0.1"})
        pictures, sound = session.add(Watch(frames(40))), session.add(WatchSound(lambda _: False))
        reading.video >> pictures
        reading.audio >> sound
        session.run()
    net_out.deregisterOutboundCall(there)
    camera_in.stopCall()
    net_out.stopCall()
    assert isinstance(pictures, Watch)
    assert isinstance(sound, WatchSound)
    first = pictures.counters[0]
    assert pictures.counters == list(range(first, first + len(pictures.counters)))
    assert len(sound.times) > 20
    assert f"m=video {port} " in there.sdp_text
    assert f"m=audio {port + 2} " in there.sdp_text


@pytest.mark.parametrize(
    ("made", "error", "said"),
    [
        (core.LiveOutboundContext(), rw.OptionError, "slot 0: no connection type 0"),
        (
            core.LiveOutboundContext(core.LiveConnectionType_rtsp, "stream1", 2, 0),
            rw.UnsupportedError,
            "slot 2: an RTSP server comes later",
        ),
        (
            core.LiveOutboundContext(core.LiveConnectionType_sdp, "", 2, 5000),
            rw.OptionError,
            "is no place to send to",
        ),
    ],
)
def test_contexts_that_cannot_go_out(
    made: core.LiveOutboundContext, error: type[Exception], said: str
) -> None:
    thread = core.LiveThread("out")
    with pytest.raises(rw.StateError, match="out does not run"):
        thread.registerOutboundCall(made)
    thread.startCall()
    with pytest.raises(error, match=said):
        thread.registerOutboundCall(made)
    thread.stopCall()


def test_a_slot_goes_out_once() -> None:
    thread = core.LiveThread("out")
    thread.startCall()
    first, second = context(5004), context(5006)
    thread.registerOutboundCall(first)
    thread.registerOutboundCall(first)
    with pytest.raises(rw.StateError, match="slot 3 goes out to 239.255.17.4 already"):
        thread.registerOutboundCall(second)
    thread.deregisterOutboundCall(second)  # does nothing
    thread.deregisterOutboundCall(first)
    thread.registerOutboundCall(second)
    thread.stopCall()
    with pytest.raises(rw.UnsupportedError, match="RTSP server of out comes later"):
        thread.setRTSPServer(8554)
    core.setLiveOutPacketBuffermaxSize(95000)
